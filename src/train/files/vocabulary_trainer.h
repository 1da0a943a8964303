// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "text/special_tokens.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "text/pre_tokenizer.h"
#include "text/vocabulary.h"

namespace lanerope::train {

struct VocabularySize {
  size_t merges = 400;       // at most
  size_t min_frequency = 2;  // a pair that occurs less often is not merged
};

// Makes a byte-level BPE vocabulary of texts: greedy merging of the most frequent pair of neighbours
// (Sennrich et al., arXiv 1508.07909), within the words that the pre-tokenizer qwen2 cuts, so that a digit is
// always a token of its own. Of pairs that are equally frequent the one with the smaller left token, then the
// smaller right token, is merged first: the same texts, in any order, give the same vocabulary.
//
// Its tokens are the 256 bytes in order, what the merges make, and then the special tokens: <|endoftext|>
// (padding), <|im_start|>, <|im_end|> (end), which are control tokens, and the user-defined lane tags <lane1>
// to <lane32>. No begin token is added to texts; the chat template is ChatML without a default system
// message.
//
// Not for several threads at once.
class VocabularyTrainer {
 public:
  static constexpr int32_t n_lane_tags = 32;

  VocabularyTrainer();
  ~VocabularyTrainer();
  VocabularyTrainer(const VocabularyTrainer&) = delete;
  VocabularyTrainer& operator=(const VocabularyTrainer&) = delete;

  // Counts the words of a text, any bytes. Names of special tokens in it are these tokens, and no words.
  void add(std::string_view text);

  // The vocabulary of all texts so far.
  text::VocabularyData train(VocabularySize size) const;

 private:
  text::PreTokenizer pre_tokenizer_;
  std::unique_ptr<const text::SpecialTokens> specials_;
  std::unordered_map<std::string, size_t> words_;  // how often each occurs
};

// The ChatML template that such a vocabulary carries.
std::string_view trained_chat_template();

}  // namespace lanerope::train
