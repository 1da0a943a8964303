// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "answers/parser.h"

namespace lanerope::answers {

namespace {

constexpr int most_depth = 60;
constexpr long largest_exponent = 4000;  // of ten, in a number that is held exactly

constexpr std::array<std::string_view, 17> functions = {"sin",  "cos",  "tan",  "cot",  "sec",  "csc",
                                                        "asin", "acos", "atan", "sinh", "cosh", "tanh",
                                                        "ln",   "log",  "lg",   "exp",  "max"};

constexpr std::array<std::string_view, 35> greek = {
    "alpha", "beta",  "gamma",  "delta", "epsilon", "varepsilon", "zeta",  "eta",     "theta",
    "iota",  "kappa", "lambda", "mu",    "nu",      "xi",         "rho",   "sigma",   "tau",
    "phi",   "chi",   "psi",    "omega", "Gamma",   "Delta",      "Theta", "Lambda",  "Xi",
    "Pi",    "Sigma", "Phi",    "Psi",   "Omega",   "ell",        "hbar",  "vartheta"};

bool is_whole_number(const Node& node) {
  return node.kind == Kind::number && !node.decimals && is_whole(node.number);
}

bool is_proper_fraction(const Node& node) {
  return node.kind == Kind::quotient && is_whole_number(node.args[0]) && is_whole_number(node.args[1]) &&
         node.args[0].number < node.args[1].number;
}

std::optional<Node> number_node(const Token& token) {
  const std::string& text = token.text;
  const size_t point = text.find('.');
  std::string digits = text;
  if (point != std::string::npos) digits.erase(point, 1);
  if (digits.empty()) digits = "0";
  const long behind = point == std::string::npos ? 0 : static_cast<long>(text.size() - point - 1);
  if (token.exponent.size() > 5) return std::nullopt;
  const long exponent = token.exponent.empty() ? 0 : std::stol(token.exponent);
  if (std::abs(exponent) > largest_exponent) return std::nullopt;

  Node node{.kind = Kind::number};
  Rational value{Integer(digits, 10)};
  if (!token.repeat.empty()) {
    // 0.1(6) is (16 - 1) / 90.
    const Integer nines = power_of_ten(token.repeat.size()) - 1;
    value = Rational(Integer(digits + token.repeat, 10) - Integer(digits, 10), nines);
    value.canonicalize();
  } else if (point != std::string::npos) {
    node.decimals = static_cast<int>(behind - exponent);
    const size_t first = std::min(digits.find_first_not_of('0'), digits.size());
    node.significant = static_cast<int>(digits.size() - first);
  }
  const long shift = exponent - behind;
  const Integer scale = power_of_ten(static_cast<unsigned long>(std::abs(shift)));
  node.number = shift < 0 ? Rational(value / scale) : Rational(value * scale);
  return node;
}

}  // namespace

std::optional<Node> Parser::primary() {
  const Token* token = peek();
  if (token == nullptr) return std::nullopt;
  if (++depth_ > most_depth) return std::nullopt;
  Result node;
  switch (token->kind) {
    case TokenKind::number:
      node = number();
      break;
    case TokenKind::letter:
      ++at_;
      node = variable(token->text);
      break;
    case TokenKind::word:
      node = words();
      break;
    case TokenKind::command:
      node = command();
      break;
    case TokenKind::symbol:
      if (is_based_in_brackets()) {
        at_ += 3;
        node = based(tokens_[at_ - 2]);
      } else if (token->text == "(" || token->text == "[") {
        node = bracketed();
      }
      if (token->text == "{") node = braced();
      if (token->text == "\\{") node = set("\\}");
      if (token->text == "|") node = absolute();
      break;
  }
  --depth_;
  return node;
}

Parser::Result Parser::number() {
  const Token token = tokens_[at_++];
  if (next_is("_") && token.text.find('.') == std::string::npos) return based(token);
  auto node = number_node(token);
  return node ? mixed(std::move(*node)) : std::nullopt;
}

// "(1011)_2".
bool Parser::is_based_in_brackets() const {
  if (at_ + 3 >= tokens_.size() || tokens_[at_].text != "(") return false;
  const Token& digits = tokens_[at_ + 1];
  return digits.kind == TokenKind::number && digits.text.find('.') == std::string::npos &&
         tokens_[at_ + 2].text == ")" && tokens_[at_ + 3].text == "_";
}

// "2112_6", "1011_{two}".
Parser::Result Parser::based(const Token& digits) {
  constexpr std::array<std::string_view, 17> names = {
      "zero", "one", "two",    "three",  "four",     "five",     "six",     "seven",  "eight",
      "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen"};
  ++at_;
  const bool brace = accept("{");
  std::string base;
  while (at_ < tokens_.size() && (brace ? !next_is("}") : base.empty())) base += tokens_[at_++].text;
  if (brace && !accept("}")) return std::nullopt;
  Node node{.kind = Kind::based, .name = digits.text};
  const auto* name = std::ranges::find(names, base);
  const bool number =
      !base.empty() && base.size() <= 2 && base.find_first_not_of("0123456789") == std::string::npos;
  if (!number && name == names.end()) return std::nullopt;
  node.number = Rational(number ? std::stol(base) : static_cast<long>(name - names.begin()));
  return node;
}

// A proper fraction right behind a whole number is added to it: "1\frac{1}{2}", "1 1/2".
Parser::Result Parser::mixed(Node node) {
  if (!is_whole_number(node)) return node;
  const size_t before = at_;
  Result part;
  if (next_is_command("frac")) {
    ++at_;
    part = fraction(Kind::quotient);
  } else if (peek() != nullptr && peek()->kind == TokenKind::number && peek()->spaced &&
             is(at_ + 1, TokenKind::symbol, "/") && peek(2) != nullptr &&
             peek(2)->kind == TokenKind::number) {
    auto top = number_node(*peek());
    auto bottom = number_node(*peek(2));
    at_ += 3;
    if (top && bottom) part = binary(Kind::quotient, std::move(*top), std::move(*bottom));
  }
  if (part && is_proper_fraction(*part)) return binary(Kind::sum, std::move(node), std::move(*part));
  at_ = before;
  return node;
}

// With its subscript and its primes.
Parser::Result Parser::variable(std::string name) {
  if (next_is("_")) {
    ++at_;
    std::string subscript;
    if (accept("{")) {
      for (int open = 1; at_ < tokens_.size(); ++at_) {
        if (next_is("{")) ++open;
        if (next_is("}") && --open == 0) break;
        subscript += tokens_[at_].text;
      }
      if (!accept("}")) return std::nullopt;
    } else if (peek() != nullptr) {
      subscript = tokens_[at_++].text;
    }
    name += '_' + subscript;
  }
  while (accept("'")) name += '\'';
  if (name == "e" || name == "i") return constant(name);
  return Node{.kind = Kind::variable, .name = std::move(name)};
}

Parser::Result Parser::words() {
  const bool letter = tokens_[at_].upright && tokens_[at_].text.size() == 1;
  if (letter) return variable(tokens_[at_++].text);
  Node node{.kind = Kind::words};
  while (at_ < tokens_.size() && tokens_[at_].kind == TokenKind::word) {
    if (!node.name.empty()) node.name += ' ';
    node.name += tokens_[at_++].text;
  }
  return node;
}

Parser::Result Parser::command() {
  const std::string name = tokens_[at_++].text;
  if (name == "frac") return fraction(Kind::quotient);
  if (name == "binom") return fraction(Kind::function);
  if (name == "sqrt") return root();
  if (name == "pi") return constant(name);
  if (name == "infty") return constant(name);
  if (name == "emptyset") return constant("nothing");
  if (name == "mathbb") return blackboard();
  if (name == "overline") return overline();
  if (name == "lfloor") return enclosed_by("floor", "rfloor");
  if (name == "lceil") return enclosed_by("ceil", "rceil");
  if (name == "begin") return environment();
  if (name == "usd") return money("dollar");
  if (name == "gbp" || name == "eur" || name == "yuan") return money(name);
  if (std::ranges::find(functions, name) != functions.end()) return function(name);
  if (std::ranges::find(greek, name) != greek.end()) return variable(name);
  return std::nullopt;
}

// What \frac, \sqrt and \binom take: a group in braces or brackets, or the one thing that follows.
Parser::Result Parser::argument(bool one_digit) {
  Token* token = at_ < tokens_.size() ? &tokens_[at_] : nullptr;
  if (token == nullptr) return std::nullopt;
  if (token->kind == TokenKind::number && one_digit && token->text.size() > 1 && token->repeat.empty()) {
    // "\frac12" has two digits for two arguments.
    const Token first{.kind = TokenKind::number, .text = token->text.substr(0, 1)};
    token->text.erase(0, 1);
    return number_node(first);
  }
  if (token->kind == TokenKind::number) {
    ++at_;
    return number_node(*token);
  }
  if (token->kind == TokenKind::letter) {
    ++at_;
    return variable(token->text);
  }
  auto node = primary();
  if (!node || !is_scalar(*node)) return std::nullopt;
  return node;
}

Parser::Result Parser::fraction(Kind kind) {
  auto top = argument(true);
  auto bottom = top ? argument(true) : std::nullopt;
  if (!bottom) return std::nullopt;
  Node node = binary(kind, std::move(*top), std::move(*bottom));
  if (kind == Kind::function) node.name = "binom";
  return node;
}

Parser::Result Parser::root() {
  Result degree = whole(2);
  if (accept("[")) {
    degree = sum();
    if (!accept("]")) return std::nullopt;
  }
  auto of = degree ? argument(false) : std::nullopt;
  return of ? Result(binary(Kind::root, std::move(*of), std::move(*degree))) : std::nullopt;
}

// "\overline{AB}" is a length, "\overline{z}" another number than z.
Parser::Result Parser::overline() {
  const bool one_letter = peek() != nullptr && next_is("{") && peek(1) != nullptr &&
                          peek(1)->kind == TokenKind::letter && is(at_ + 2, TokenKind::symbol, "}");
  if (one_letter) {
    at_ += 3;
    return variable("overline " + tokens_[at_ - 2].text);
  }
  return argument(false);
}

Parser::Result Parser::blackboard() {
  const bool brace = accept("{");
  const Token* token = peek();
  if (token == nullptr) return std::nullopt;
  const std::string letter = token->text;
  ++at_;
  if (brace && !accept("}")) return std::nullopt;
  if (letter == "R") return constant("reals");
  return Node{.kind = Kind::variable, .name = "mathbb " + letter};
}

Parser::Result Parser::money(std::string_view currency) {
  auto amount = factor();
  if (!amount || !is_scalar(*amount) || amount->kind == Kind::quantity) return std::nullopt;
  amount = with_magnitude(std::move(*amount));
  // "$18 dollars" says it twice, "$18 per day" more than was asked.
  if (peek() != nullptr && peek()->kind == TokenKind::word) unit();
  Node node = unary(Kind::quantity, std::move(*amount));
  node.name = currency;
  return node;
}

Parser::Result Parser::function(const std::string& name) {
  Node node{.kind = Kind::function, .name = name};
  Result base;
  if (name == "log" && accept("_")) {
    base = argument(false);
    if (!base) return std::nullopt;
  }
  Result power;
  if (accept("^")) {
    power = exponent();
    if (!power) return std::nullopt;
  }
  auto argument = function_argument();
  if (!argument) return std::nullopt;
  node.args.push_back(std::move(*argument));
  if (name == "lg" || (name == "log" && !base)) base = whole(10);
  if (base) node.args.push_back(std::move(*base));
  if (base) node.name = "log";
  if (!power) return node;
  // "\sin^{-1} x" is the inverse function, "\sin^2 x" a square.
  if (*power == unary(Kind::negative, whole(1)) && node.args.size() == 1) {
    node.name = name.starts_with('a') ? name.substr(1) : "a" + name;
    return node;
  }
  return binary(Kind::power, std::move(node), std::move(*power));
}

// In brackets, or the factors up to the next operator or function: "\sin 2x \cos x".
Parser::Result Parser::function_argument() {
  const bool in_brackets = next_is("(") || next_is("{") || next_is("[");
  auto argument = in_brackets ? primary() : factor();
  if (!argument || !is_scalar(*argument)) return std::nullopt;
  const auto is_function = [this] {
    const Token* token = peek();
    return token != nullptr && token->kind == TokenKind::command &&
           std::ranges::find(functions, token->text) != functions.end();
  };
  while (!in_brackets && (starts_factor() || next_is("/")) && !is_function() && !next_is("(")) {
    const Kind kind = accept("/") ? Kind::quotient : Kind::product;
    auto next = factor();
    if (!next || !is_scalar(*next)) return std::nullopt;
    argument = binary(kind, std::move(*argument), std::move(*next));
  }
  return argument;
}

}  // namespace lanerope::answers
