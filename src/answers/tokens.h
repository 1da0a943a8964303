// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lanerope::answers {

enum class TokenKind {
  number,   // digits with at most one point; an exponent and a repeating part apart
  letter,   // one that stands for a quantity
  word,     // of upright or plain text
  command,  // a name without its backslash; also functions that are written without one
  symbol,   // an operator, a bracket, a comma; "and" and "or" are symbols, too
};

struct Token {
  TokenKind kind;
  std::string text;
  bool spaced = false;        // whether a space stands before it
  bool upright = false;       // whether it comes from \text or its like
  std::string repeat = {};    // of a number: the digits that repeat for ever behind it
  std::string exponent = {};  // of a number: what stands behind its "e"
};

// Whether "1,234" is one number or two.
enum class Commas { thousands, separators };

// The tokens of a spelled answer; nothing where a brace is not closed or a character belongs to no answer.
std::optional<std::vector<Token>> tokens_of(std::string_view spelled, Commas commas);

}  // namespace lanerope::answers
