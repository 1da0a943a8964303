// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gguf/file.h"
#include "gguf/writer.h"
#include "text/vocabulary.h"

namespace lanerope::arch {

// The tokenizer.* keys of a model file. Throws BadFile where one has the wrong type.
text::VocabularyData read_vocabulary(const gguf::File& file);

// Sets the tokenizer.* keys, before begin(), so that read_vocabulary gives `data` back. What `data` does not
// have is not written. Throws InvalidRequest for a special id that no 32-bit number holds.
void write_vocabulary(gguf::Writer& writer, const text::VocabularyData& data);

}  // namespace lanerope::arch
