// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "text/vocabulary.h"

namespace lanerope {

class GgufFile;

// The tokenizer.* keys of a model file. Throws BadFile where one has the wrong type.
VocabularyData read_vocabulary(const GgufFile& file);

}  // namespace lanerope
