// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lanerope/token.h"
#include "text/merge_symbols.h"
#include "text/pre_tokenizer.h"
#include "text/vocabulary.h"

namespace lanerope::text {

// BPE by merges, of text without special tokens: of bytes, or of characters where the vocabulary says so.
// Immutable; append may be called from any thread.
class BytePair {
 public:
  // `vocabulary` must outlive this.
  explicit BytePair(const Vocabulary& vocabulary);

  // Appends the tokens of `text`, any bytes.
  void append(std::string_view text, std::vector<TokenId>& tokens) const;

 private:
  struct Ranked {
    uint32_t rank;
    TokenId result;
  };

  void append_word(std::string_view word, std::vector<TokenId>& tokens) const;
  void append_characters(std::string_view word, std::vector<TokenId>& tokens) const;
  std::optional<Join> join(const Symbol& left, const Symbol& right) const;

  const Vocabulary& vocabulary_;
  PreTokenizer pre_tokenizer_;
  bool whole_words_;
  bool has_all_bytes_;
  std::unordered_map<uint64_t, Ranked> merges_;  // by the pair of tokens
};

}  // namespace lanerope::text
