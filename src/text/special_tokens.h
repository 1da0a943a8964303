// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lanerope/token.h"
#include "text/vocabulary.h"

namespace lanerope::text {

// Finds the names of special tokens in a text. Immutable; next may be called from any thread.
class SpecialTokens {
 public:
  explicit SpecialTokens(const Vocabulary& vocabulary);

  struct Match {
    size_t begin;  // bytes
    size_t size;
    TokenId token;
  };
  // The leftmost special token at or after `from`, of several the longest. User-defined tokens are always
  // found, control and unknown tokens if `parse_control`.
  std::optional<Match> next(std::string_view text, size_t from, bool parse_control) const;

 private:
  struct Node {
    TokenId token = -1;  // that ends here
    bool user_defined = false;
  };

  // A trie. Most bytes of most texts are told apart by their first byte alone.
  std::bitset<256> first_bytes_;
  std::vector<Node> nodes_;
  std::unordered_map<uint64_t, uint32_t> edges_;  // (node, byte) to node
};

}  // namespace lanerope::text
