// SPDX-License-Identifier: Apache-2.0
#include "text/sentencepiece.h"

#include <optional>
#include <string>

#include "text/merge_symbols.h"
#include "text/utf8.h"

namespace lanerope::text {

void SentencePiece::append(std::string_view text, std::vector<TokenId>& tokens) const {
  const std::string spaced = spaces_for_marks(text);
  const std::string_view word = spaced;
  std::vector<Symbol> symbols;
  for (size_t at = 0; at < word.size();) {
    const Utf8Head head = utf8_head(word.substr(at));
    const size_t size = head.status == Utf8Status::character ? head.size : 1;
    const auto token = vocabulary_.find(word.substr(at, size));
    symbols.push_back({.begin = static_cast<uint32_t>(at),
                       .size = static_cast<uint32_t>(size),
                       .token = token.value_or(no_token)});
    at += size;
  }

  merge_symbols(symbols, [&](const Symbol& left, const Symbol& right) -> std::optional<Join> {
    const size_t size = size_t{left.size} + right.size;
    if (size > vocabulary_.longest_piece()) return std::nullopt;
    const auto token = vocabulary_.find(word.substr(left.begin, size));
    if (!token) return std::nullopt;
    return Join{.cost = -static_cast<double>(vocabulary_.score(*token)), .token = *token};
  });

  for (const Symbol& symbol : symbols) {
    if (symbol.size == 0) continue;
    if (symbol.token != no_token) {
      tokens.push_back(symbol.token);
      continue;
    }
    for (const char byte : word.substr(symbol.begin, symbol.size)) {
      const auto token = vocabulary_.find_byte(static_cast<uint8_t>(byte));
      tokens.push_back(token ? *token : *vocabulary_.unknown());
    }
  }
}

}  // namespace lanerope::text
