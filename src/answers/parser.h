// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "answers/expression.h"
#include "answers/tokens.h"

namespace lanerope::answers {

// Reads tokens into one tree, from the loosest binding to the tightest; each function takes what it can from
// the front and gives nothing where that is no answer. Operators in parser.cpp, what stands between them in
// parse_primary.cpp, brackets, sets and matrices in parse_brackets.cpp, units in parse_unit.cpp.
class Parser {
 public:
  explicit Parser(std::vector<Token> tokens);

  // The tree of all tokens.
  std::optional<Node> parse();

 private:
  using Result = std::optional<Node>;

  Result list();
  Result relation();
  Result set_operation();
  Result sum();
  Result term();
  Result factor();
  Result with_postfixes(Node node);
  Node with_magnitude(Node node);
  Result exponent();

  Result primary();
  Result command();
  Result number();
  Result mixed(Node node);
  Result based(const Token& digits);
  bool is_based_in_brackets() const;
  Result variable(std::string name);
  Result words();
  Result function(const std::string& name);
  Result function_argument();
  Result fraction(Kind kind);
  Result root();
  Result argument(bool one_digit);
  Result overline();
  Result blackboard();
  Result money(std::string_view currency);

  Result bracketed();
  Result braced();
  Result set(std::string_view close);
  Result absolute();
  Result enclosed_by(std::string_view function, std::string_view close);
  Result environment();
  Result matrix();
  std::optional<std::string> braced_name();

  // What stands between here and the end of an item, where that is a unit; nothing is taken otherwise.
  std::optional<std::string> unit();
  bool starts_unit(const Node& measured) const;
  bool ends_item(size_t at) const;

  bool is(size_t at, TokenKind kind, std::string_view text) const;
  bool next_is(std::string_view symbol) const { return is(at_, TokenKind::symbol, symbol); }
  bool next_is_command(std::string_view name) const { return is(at_, TokenKind::command, name); }
  bool accept(std::string_view symbol);
  bool accept_command(std::string_view name);
  bool accept_separator(std::string& name);
  std::optional<std::string> accept_relation();
  bool starts_factor() const;
  const Token* peek(size_t ahead = 0) const;

  std::vector<Token> tokens_;
  size_t at_ = 0;
  int depth_ = 0;
  int open_bars_ = 0;     // of absolute values
  int guessed_sets_ = 0;  // braces that were read again as a set with a condition
  bool in_set_ = false;   // where ":" and "|" stand before a condition
};

}  // namespace lanerope::answers
