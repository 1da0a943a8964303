// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "text/vocabulary.h"

namespace lanerope::text {

// A byte as byte-level BPE writes it, from the definition: printable bytes of Latin-1 as themselves, the
// others as U+0100 and up in the order of their values.
std::string mapped_byte(unsigned char byte);
std::string mapped(std::string_view bytes);

// All bytes in order (ids 0 to 255), then "th", "the", " the", "aa", "aaaa", "12", "123", then "<|im_start|>"
// and
// "<|im_end|>" (control, the latter is the end token), "<tool>" (user-defined), "<|bos|>" (control, the begin
// token).
VocabularyData toy_bpe();

// <unk>, <s>, </s>, the 256 byte tokens, then the pieces, which merge in the order given: "▁", "a", "b", "é",
// "ab", "▁a", "▁ab", "▁▁", "</", "s>", and "[INST]" (control), "<tool>" (user-defined).
VocabularyData toy_sentencepiece();

}  // namespace lanerope::text
