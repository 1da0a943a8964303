// SPDX-License-Identifier: Apache-2.0
#include "text/special_tokens.h"

#include <cstddef>

namespace lanerope::text {

namespace {

uint64_t edge(uint32_t node, char byte) {
  return uint64_t{node} << 8 | static_cast<uint8_t>(byte);
}

}  // namespace

SpecialTokens::SpecialTokens(const Vocabulary& vocabulary) : nodes_(1) {
  for (size_t i = 0; i < vocabulary.size(); ++i) {
    const auto token = static_cast<TokenId>(i);
    const TokenType type = vocabulary.type(token);
    const bool user_defined = type == TokenType::user_defined;
    if (!user_defined && type != TokenType::control && type != TokenType::unknown) continue;
    const std::string_view name = vocabulary.piece(token);
    first_bytes_.set(static_cast<uint8_t>(name[0]));
    uint32_t node = 0;
    for (const char byte : name) {
      const auto [to, is_new] = edges_.try_emplace(edge(node, byte), static_cast<uint32_t>(nodes_.size()));
      if (is_new) nodes_.emplace_back();
      node = to->second;
    }
    if (nodes_[node].token < 0) nodes_[node] = {.token = token, .user_defined = user_defined};
  }
}

std::optional<SpecialTokens::Match> SpecialTokens::next(std::string_view text, size_t from,
                                                        bool parse_control) const {
  for (size_t begin = from; begin < text.size(); ++begin) {
    if (!first_bytes_[static_cast<uint8_t>(text[begin])]) continue;
    std::optional<Match> longest;
    uint32_t node = 0;
    for (size_t at = begin; at < text.size(); ++at) {
      const auto to = edges_.find(edge(node, text[at]));
      if (to == edges_.end()) break;
      node = to->second;
      const Node& end = nodes_[node];
      if (end.token >= 0 && (parse_control || end.user_defined)) {
        longest = {.begin = begin, .size = at + 1 - begin, .token = end.token};
      }
    }
    if (longest) return longest;
  }
  return std::nullopt;
}

}  // namespace lanerope::text
