// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "lanerope/token.h"
#include "text/vocabulary.h"

namespace lanerope::text {

// SentencePiece's BPE by scores, of text without special tokens. What no piece covers is spelt in byte
// tokens, or is the unknown token. U+2581 in the text is a space. Immutable; append may be called from any
// thread.
class SentencePiece {
 public:
  // `vocabulary` must outlive this.
  explicit SentencePiece(const Vocabulary& vocabulary) : vocabulary_(vocabulary) {}

  // Appends the tokens of `text`, any bytes; the space prefix is the caller's.
  void append(std::string_view text, std::vector<TokenId>& tokens) const;

 private:
  const Vocabulary& vocabulary_;
};

}  // namespace lanerope::text
