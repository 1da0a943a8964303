// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "answers/parser.h"
#include "answers/units.h"

namespace lanerope::answers {

// Whether an item ends before the token.
bool Parser::ends_item(size_t at) const {
  if (at >= tokens_.size()) return true;
  const Token& token = tokens_[at];
  if (token.kind == TokenKind::command)
    return token.text == "approx" || token.text == "in" || token.text == "end";
  constexpr std::array<std::string_view, 16> closing = {
      ",", ";", "and", "or", "=", "<", ">", "<=", ">=", "!=", ")", "]", "}", "\\}", "&", "\\\\"};
  return token.kind == TokenKind::symbol && std::ranges::find(closing, token.text) != closing.end();
}

// A word, or a letter that can be a unit apart from the number it measures: "5 m" is a length, "5m" a
// product.
bool Parser::starts_unit(const Node& measured) const {
  const Token* token = peek();
  if (token == nullptr) return false;
  if (token->kind == TokenKind::word && !token->upright && contains(measured, Kind::variable)) return false;
  if (token->kind == TokenKind::word) return token->text.size() > 1 || is_unit_letter(token->text);
  if (token->kind == TokenKind::command)
    return token->text == "Omega" || token->text == "usd" || token->text == "gbp" || token->text == "eur" ||
           token->text == "yuan";
  return token->kind == TokenKind::letter && token->spaced && is_unit_letter(token->text) &&
         !contains(measured, Kind::variable);
}

std::optional<std::string> Parser::unit() {
  if (tokens_[at_].kind == TokenKind::command) {
    if (!ends_item(at_ + 1)) return std::nullopt;
    const std::string currency = tokens_[at_++].text;
    return currency == "usd" ? "dollar" : currency == "Omega" ? "ohm" : currency;
  }
  std::string name;
  size_t at = at_;
  for (; !ends_item(at); ++at) {
    const Token& token = tokens_[at];
    if (token.kind == TokenKind::word || (token.kind == TokenKind::letter && is_unit_letter(token.text))) {
      if (!name.empty()) name += ' ';
      name += token.text;
      continue;
    }
    if (token.kind != TokenKind::symbol) return std::nullopt;
    if (token.text == "^") {
      const bool brace = is(at + 1, TokenKind::symbol, "{");
      size_t digit = brace ? at + 2 : at + 1;
      const bool minus = is(digit, TokenKind::symbol, "-");
      if (minus) ++digit;
      if (digit >= tokens_.size() || tokens_[digit].kind != TokenKind::number) return std::nullopt;
      name += (minus ? "^-" : "^") + tokens_[digit].text;
      at = brace ? digit + 1 : digit;
    } else if (token.text == "/" || token.text == "*" || token.text == "." || token.text == "-" ||
               token.text == "'") {
      name += token.text;
    } else {
      return std::nullopt;
    }
  }
  at_ = at;
  return name;
}

}  // namespace lanerope::answers
