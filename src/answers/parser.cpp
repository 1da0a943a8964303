// SPDX-License-Identifier: Apache-2.0
#include "answers/parser.h"

#include <algorithm>
#include <array>

namespace lanerope::answers {

namespace {

constexpr int most_depth = 60;

// A scalar without a unit, which can be calculated with.
bool is_operand(const Node& node) {
  return is_scalar(node) && node.kind != Kind::quantity;
}

}  // namespace

Parser::Parser(std::vector<Token> tokens) {
  // "{}" is nothing; "{ }^{\circ}" is how some write a degree.
  const auto symbol = [](const Token& token, std::string_view text) {
    return token.kind == TokenKind::symbol && token.text == text;
  };
  for (Token& token : tokens) {
    const bool empty = symbol(token, "}") && !tokens_.empty() && symbol(tokens_.back(), "{");
    if (empty) {
      tokens_.pop_back();
    } else {
      tokens_.push_back(std::move(token));
    }
  }
  while (!tokens_.empty() && (symbol(tokens_.back(), ".") || symbol(tokens_.back(), ",") ||
                              symbol(tokens_.back(), ";") || symbol(tokens_.back(), "\\\\")))
    tokens_.pop_back();
  if (!tokens_.empty() && (symbol(tokens_.front(), "=") || symbol(tokens_.front(), ":")))
    tokens_.erase(tokens_.begin());
}

std::optional<Node> Parser::parse() {
  auto node = list();
  return node && at_ == tokens_.size() ? node : std::nullopt;
}

const Token* Parser::peek(size_t ahead) const {
  return at_ + ahead < tokens_.size() ? &tokens_[at_ + ahead] : nullptr;
}

bool Parser::is(size_t at, TokenKind kind, std::string_view text) const {
  return at < tokens_.size() && tokens_[at].kind == kind && tokens_[at].text == text;
}

bool Parser::accept(std::string_view symbol) {
  if (!next_is(symbol)) return false;
  ++at_;
  return true;
}

bool Parser::accept_command(std::string_view name) {
  if (!next_is_command(name)) return false;
  ++at_;
  return true;
}

// Whatever stands between two items, ", and" included.
bool Parser::accept_separator(std::string& name) {
  constexpr std::array<std::string_view, 4> separators = {",", ";", "and", "or"};
  bool found = false;
  for (bool more = true; more;) {
    more = false;
    for (const std::string_view separator : separators) {
      if (!accept(separator)) continue;
      more = found = true;
      const std::string_view kind = separator == ";" ? "," : separator;
      // "or" says most, a comma least.
      if (name.empty() || kind == "or" || (kind == "and" && name == ",")) name = kind;
    }
  }
  return found;
}

Parser::Result Parser::list() {
  Node node{.kind = Kind::list};
  do {
    auto item = relation();
    if (!item) return std::nullopt;
    node.args.push_back(std::move(*item));
  } while (accept_separator(node.name));
  if (node.args.size() == 1) return std::move(node.args.front());
  return node;
}

std::optional<std::string> Parser::accept_relation() {
  constexpr std::array<std::string_view, 7> symbols = {"=", "<", ">", "<=", ">=", "!=", ":"};
  constexpr std::array<std::string_view, 2> commands = {"in", "approx"};
  for (const std::string_view symbol : symbols) {
    if ((symbol != ":" || !in_set_) && accept(symbol)) return std::string(symbol);
  }
  for (const std::string_view name : commands) {
    if (accept_command(name)) return std::string(name);
  }
  return std::nullopt;
}

Parser::Result Parser::relation() {
  auto first = set_operation();
  if (!first) return std::nullopt;
  Node node{.kind = Kind::relation};
  while (auto relation = accept_relation()) {
    auto next = set_operation();
    if (!next) return std::nullopt;
    node.name += (node.name.empty() ? "" : " ") + *relation;
    node.args.push_back(std::move(*next));
  }
  if (node.args.empty()) return first;
  node.args.insert(node.args.begin(), std::move(*first));
  return node;
}

Parser::Result Parser::set_operation() {
  auto left = sum();
  while (left && !is_scalar(*left) && left->kind != Kind::words) {
    // "(1,2) U (3,4)", as it is typed.
    const bool letter_u = left->kind == Kind::tuple && is(at_, TokenKind::letter, "U");
    if (letter_u) ++at_;
    if (letter_u || accept_command("cup")) {
      auto right = sum();
      if (!right) return std::nullopt;
      if (left->kind != Kind::set_union) left = unary(Kind::set_union, std::move(*left));
      left->args.push_back(std::move(*right));
    } else if (accept_command("setminus") || accept_command("backslash") || accept("-")) {
      auto right = sum();
      if (!right) return std::nullopt;
      left = binary(Kind::without, std::move(*left), std::move(*right));
    } else {
      break;
    }
  }
  return left;
}

Parser::Result Parser::sum() {
  Result left;
  if (next_is_command("pm") || next_is_command("mp")) {
    left = whole(0);
  } else {
    left = term();
  }
  while (left && is_scalar(*left)) {
    const bool plus = next_is("+");
    const bool minus = next_is("-");
    const bool both = next_is_command("pm") || next_is_command("mp");
    if (!plus && !minus && !both) break;
    const std::string sign = next_is_command("mp") ? "-+" : "+-";
    ++at_;
    auto right = term();
    if (!right || !is_scalar(*right) || left->kind == Kind::quantity) return std::nullopt;
    // "1 + \sqrt{2} cm": the unit is the sum's.
    Node unit{.kind = Kind::quantity};
    const bool measured = right->kind == Kind::quantity;
    if (measured) {
      unit.name = right->name;
      Node inner = std::move(right->args.front());
      right = std::move(inner);
    }
    if (both) {
      left = binary(Kind::plus_minus, std::move(*left), std::move(*right));
      left->name = sign;
    } else {
      Node next = minus ? unary(Kind::negative, std::move(*right)) : std::move(*right);
      if (left->kind != Kind::sum || left->bracketed) left = unary(Kind::sum, std::move(*left));
      left->args.push_back(std::move(next));
    }
    if (measured) {
      unit.args.push_back(std::move(*left));
      left = std::move(unit);
    }
  }
  return left;
}

// Whether what comes next is multiplied with what stands before it. A number is not: "3 4" are two.
bool Parser::starts_factor() const {
  const Token* token = peek();
  if (token == nullptr) return false;
  switch (token->kind) {
    case TokenKind::letter:
      return true;
    case TokenKind::word:
      return token->upright && token->text.size() == 1;
    case TokenKind::number:
      return false;
    case TokenKind::symbol:
      return token->text == "(" || token->text == "[" || token->text == "{" ||
             (token->text == "|" && !in_set_ && open_bars_ == 0);
    case TokenKind::command:
      break;
  }
  constexpr std::array<std::string_view, 11> others = {"cup", "cap",    "setminus", "in",  "approx", "pm",
                                                       "mp",  "rfloor", "rceil",    "end", "choose"};
  constexpr std::array<std::string_view, 5> more = {"backslash", "usd", "gbp", "eur", "yuan"};
  return std::ranges::find(others, token->text) == others.end() &&
         std::ranges::find(more, token->text) == more.end();
}

// "3 million".
Node Parser::with_magnitude(Node node) {
  for (const auto& [name, zeros] : {std::pair{"thousand", 3}, {"million", 6}, {"billion", 9}}) {
    if (!is(at_, TokenKind::word, name)) continue;
    ++at_;
    Node size{.kind = Kind::number, .number = Rational(power_of_ten(zeros))};
    return binary(Kind::product, std::move(node), std::move(size));
  }
  return node;
}

Parser::Result Parser::term() {
  auto left = factor();
  while (left && is_operand(*left)) {
    left = with_magnitude(std::move(*left));
    if (starts_unit(*left)) {
      if (const auto name = unit()) {
        // "25^{\circ} C"
        if (left->kind == Kind::function && left->name == "degree") {
          Node angle = std::move(left->args[0]);
          left = std::move(angle);
        }
        const bool percent =
            *name == "percent" || *name == "per cent" || *name == "pct" || *name == "percentage";
        left = unary(percent ? Kind::percent : Kind::quantity, std::move(*left));
        if (percent) return left;
        left->name = *name;
        return left;
      }
    }
    Kind kind = Kind::product;
    if (accept("/")) {
      kind = Kind::quotient;
    } else if (!accept("*") && !starts_factor()) {
      break;
    }
    auto right = factor();
    if (!right || !is_operand(*right)) return std::nullopt;
    left = binary(kind, std::move(*left), std::move(*right));
  }
  return left;
}

Parser::Result Parser::factor() {
  if (++depth_ > most_depth) return std::nullopt;
  Result node;
  if (accept("-")) {
    node = factor();
    if (node && !is_scalar(*node)) return std::nullopt;
    if (node && node->kind == Kind::quantity) {  // "-\usd 5"
      node->args.front() = unary(Kind::negative, std::move(node->args.front()));
    } else if (node) {
      node = unary(Kind::negative, std::move(*node));
    }
  } else if (accept("+")) {
    node = factor();
  } else {
    node = primary();
    if (node && is_operand(*node)) node = with_postfixes(std::move(*node));
  }
  --depth_;
  return node;
}

Parser::Result Parser::with_postfixes(Node node) {
  while (true) {
    const bool degrees =
        next_is("^") && (is(at_ + 1, TokenKind::command, "circ") ||
                         (is(at_ + 1, TokenKind::symbol, "{") && is(at_ + 2, TokenKind::command, "circ")));
    if (degrees) {
      at_ += is(at_ + 1, TokenKind::symbol, "{") ? 4 : 2;
      node = unary(Kind::function, std::move(node));
      node.name = "degree";
    } else if (accept("^")) {
      auto raised = exponent();
      if (!raised || !is_operand(*raised)) return std::nullopt;
      node = binary(Kind::power, std::move(node), std::move(*raised));
    } else if (accept("!")) {
      node = unary(Kind::function, std::move(node));
      node.name = "factorial";
    } else if (accept("%")) {
      node = unary(Kind::percent, std::move(node));
    } else {
      return node;
    }
  }
}

// In braces, or a number, letter or command with its sign; "9^9^9" is read from the right.
Parser::Result Parser::exponent() {
  if (++depth_ > most_depth) return std::nullopt;
  const bool minus = accept("-");
  auto node = primary();
  if (node && accept("^")) {
    auto above = exponent();
    node = above ? Result(binary(Kind::power, std::move(*node), std::move(*above))) : std::nullopt;
  }
  if (node && minus) node = unary(Kind::negative, std::move(*node));
  --depth_;
  return node;
}

}  // namespace lanerope::answers
