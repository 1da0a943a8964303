// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gguf/file.h"

#include "text/vocabulary.h"

namespace lanerope::model {

// The tokenizer.* keys of a model file. Throws BadFile where one has the wrong type.
text::VocabularyData read_vocabulary(const gguf::File& file);

}  // namespace lanerope::model
