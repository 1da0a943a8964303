// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "answers/parser.h"

namespace lanerope::answers {

// "(x)" is x; "(1, 2)" a tuple or an interval, "[0, 1)" an interval.
std::optional<Node> Parser::bracketed() {
  const std::string open = tokens_[at_++].text;
  const bool in_set = std::exchange(in_set_, false);
  const int open_bars = std::exchange(open_bars_, 0);
  auto node = list();
  in_set_ = in_set;
  open_bars_ = open_bars;
  if (!node) return std::nullopt;
  const bool round = accept(")");
  if (!round && !accept("]")) return std::nullopt;
  const std::string close = round ? ")" : "]";
  if (node->kind == Kind::list && !node->bracketed) {
    node->kind = Kind::tuple;
    node->name = open + close;
    return node;
  }
  const bool matching = (open == "(") == round;
  if (!matching) return std::nullopt;
  node->bracketed = true;
  return node;
}

// A group of LaTeX; several things in it are a set whose backslashes are missing.
Parser::Result Parser::braced() {
  const size_t before = at_++;
  const int open_bars = std::exchange(open_bars_, 0);
  auto node = list();
  open_bars_ = open_bars;
  // "{x | x > 2}" lacks its backslashes.
  constexpr int most_guesses = 3;
  if (!node && guessed_sets_ < most_guesses) {
    ++guessed_sets_;
    at_ = before;
    return set("}");
  }
  if (node && is_scalar(*node) && accept_command("choose")) {
    auto below = sum();
    if (!below || !is_scalar(*below)) return std::nullopt;
    node = binary(Kind::function, std::move(*node), std::move(*below));
    node->name = "binom";
  }
  if (!node || !accept("}")) return std::nullopt;
  if (node->kind == Kind::list && !node->bracketed) {
    node->kind = Kind::set;
    node->name.clear();
  }
  node->bracketed = true;
  return node;
}

// "\{1, 2\}"; of "\{x | x > 2\}" the condition.
Parser::Result Parser::set(std::string_view close) {
  ++at_;
  if (accept(close)) return constant("nothing");
  const bool in_set = in_set_;
  in_set_ = true;
  auto node = list();
  const bool condition = node && (accept("|") || accept(":"));
  in_set_ = in_set;
  if (condition) node = list();
  if (!node || !accept(close)) return std::nullopt;
  if (condition) {
    if (node->kind == Kind::list && node->name == ",") node->name = "and";
    node->bracketed = true;
    return node;
  }
  if (node->kind == Kind::list && !node->bracketed) {
    node->kind = Kind::set;
    node->name.clear();
  } else {
    node = unary(Kind::set, std::move(*node));
  }
  return node;
}

Parser::Result Parser::absolute() {
  ++at_;
  ++open_bars_;
  auto node = sum();
  --open_bars_;
  if (!node || !is_scalar(*node) || !accept("|")) return std::nullopt;
  node = unary(Kind::function, std::move(*node));
  node->name = "abs";
  return node;
}

Parser::Result Parser::enclosed_by(std::string_view function, std::string_view close) {
  auto node = sum();
  if (!node || !is_scalar(*node) || !accept_command(close)) return std::nullopt;
  node = unary(Kind::function, std::move(*node));
  node->name = function;
  return node;
}

std::optional<std::string> Parser::braced_name() {
  if (!accept("{")) return std::nullopt;
  std::string name;
  while (at_ < tokens_.size() && !next_is("}")) name += tokens_[at_++].text;
  return accept("}") ? std::optional(name) : std::nullopt;
}

// Behind \begin: a matrix, or cases and aligned lines, which are a list.
Parser::Result Parser::environment() {
  const auto name = braced_name();
  if (!name) return std::nullopt;
  const bool lines = *name == "cases" || *name == "aligned" || *name == "align" || *name == "gathered";
  const bool is_matrix = name->ends_with("matrix") || *name == "array";
  if (*name == "vmatrix" || (!lines && !is_matrix)) return std::nullopt;  // a vmatrix is a determinant
  if (*name == "array" && !braced_name()) return std::nullopt;
  auto node = matrix();
  if (!node || !accept_command("end") || braced_name() != name) return std::nullopt;
  if (!lines) return node;
  Node rows{.kind = Kind::list, .name = ","};
  for (Node& row : node->args) {
    if (row.args.size() != 1) return std::nullopt;
    rows.args.push_back(std::move(row.args.front()));
  }
  if (rows.args.size() == 1) return std::move(rows.args.front());
  return rows;
}

Parser::Result Parser::matrix() {
  Node node{.kind = Kind::matrix};
  while (!next_is_command("end")) {
    Node row{.kind = Kind::list};
    do {
      auto entry = relation();
      if (!entry) return std::nullopt;
      row.args.push_back(std::move(*entry));
      accept(",");
    } while (accept("&"));
    node.args.push_back(std::move(row));
    if (!accept("\\\\")) break;
  }
  if (node.args.empty()) return std::nullopt;
  return node;
}

}  // namespace lanerope::answers
