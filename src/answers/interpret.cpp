// SPDX-License-Identifier: Apache-2.0
#include "answers/interpret.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "answers/characters.h"
#include "answers/evaluate.h"

namespace lanerope::answers {

namespace {

bool is_plain_variable(const Node& node) {
  return node.kind == Kind::variable ||
         (node.kind == Kind::constant && (node.name == "e" || node.name == "i"));
}

// "AB", a stretch between two points.
bool is_points(const Node& node) {
  if (node.kind == Kind::variable) return std::isupper(static_cast<unsigned char>(node.name[0])) != 0;
  return node.kind == Kind::product && is_points(node.args[0]) && is_points(node.args[1]);
}

// "f(3)", "P(A)", "f^{-1}(x)".
bool is_application(const Node& node) {
  if (node.kind != Kind::product || !node.args[1].bracketed) return false;
  const Node& function = node.args[0].kind == Kind::power ? node.args[0].args[0] : node.args[0];
  const Node& argument = node.args[1];
  return function.kind == Kind::variable &&
         (argument.kind == Kind::number || argument.kind == Kind::negative ||
          argument.kind == Kind::quotient || is_points(argument) || is_plain_variable(argument));
}

// Whether it is what a value is called, not an expression that has one: "x", "f(3)", "AB", "a + b".
bool is_name(const Node& node) {
  if (is_plain_variable(node) || node.kind == Kind::words || is_application(node) || is_points(node))
    return true;
  if (node.kind == Kind::tuple) return std::ranges::all_of(node.args, is_plain_variable);
  // "x + y = 0" is a line.
  const auto is_letter = [](const Node& arg) {
    return arg.kind == Kind::variable && arg.name != "x" && arg.name != "y" && arg.name != "z";
  };
  if (node.kind == Kind::sum) return std::ranges::all_of(node.args, is_letter);
  return node.kind == Kind::function && node.name == "abs" && is_points(node.args[0]);
}

Node named(Node name, Node value) {
  value = interpreted(std::move(value));
  // A heading ("Area = 5") and the names of a point's coordinates say nothing.
  const bool says_nothing = name.kind == Kind::words || name.kind == Kind::tuple || value.kind == Kind::list;
  if (says_nothing) return value;
  return binary(Kind::named, std::move(value), std::move(name));
}

// The value of "a = b = c" is what stands last.
Node of_equation(std::vector<Node> sides) {
  if (sides.size() == 1) return interpreted(std::move(sides.front()));
  const auto constant = [](const Node& node) { return is_scalar(node) && variables_of(node).empty(); };
  if (is_name(sides.front())) return named(std::move(sides.front()), std::move(sides.back()));
  if (is_name(sides.back()) && constant(sides.front()))
    return named(std::move(sides.back()), std::move(sides.front()));
  const bool calculation =
      constant(sides.back()) && (sides.size() > 2 || std::ranges::all_of(sides, constant));
  if (calculation) return interpreted(std::move(sides.back()));
  Node node{.kind = Kind::relation, .name = "="};
  node.args.push_back(std::move(sides[sides.size() - 2]));
  node.args.push_back(std::move(sides.back()));
  return node;
}

Node of_relation(Node node) {
  std::vector<std::string> operators;
  for (size_t at = 0; at <= node.name.size();) {
    const size_t space = std::min(node.name.find(' ', at), node.name.size());
    operators.push_back(node.name.substr(at, space - at));
    at = space + 1;
  }
  if (operators.size() == 1 && operators[0] == "in" && is_name(node.args[0]))
    return named(std::move(node.args[0]), std::move(node.args[1]));
  const bool equation =
      std::ranges::all_of(operators, [](const std::string& o) { return o == "=" || o == "approx"; });
  if (!equation) {
    for (Node& arg : node.args) arg = interpreted(std::move(arg));
    return node;
  }
  const auto first = std::ranges::find(operators, "approx") - operators.begin();
  std::vector<Node> exact(std::make_move_iterator(node.args.begin()),
                          std::make_move_iterator(node.args.begin() + first + 1));
  std::vector<Node> about(std::make_move_iterator(node.args.begin() + first + 1),
                          std::make_move_iterator(node.args.end()));
  if (about.empty()) return of_equation(std::move(exact));
  // "x \approx 3.14" has nothing exact.
  if (exact.size() == 1 && is_name(exact.front())) {
    exact.push_back(std::move(about.front()));
    about.erase(about.begin());
    return of_equation(std::move(exact));
  }
  Node either = unary(Kind::either, of_equation(std::move(exact)));
  for (Node& value : about) either.args.push_back(interpreted(std::move(value)));
  return either;
}

// With the upper or the lower sign of every \pm.
Node with_signs(const Node& node, bool upper) {
  Node copy{.kind = node.kind,
            .name = node.name,
            .number = node.number,
            .decimals = node.decimals,
            .significant = node.significant,
            .bracketed = node.bracketed};
  for (const Node& arg : node.args) copy.args.push_back(with_signs(arg, upper));
  if (node.kind != Kind::plus_minus) return copy;
  const bool plus = (node.name == "+-") == upper;
  Node right = std::move(copy.args[1]);
  if (!plus) right = unary(Kind::negative, std::move(right));
  const bool alone = copy.args[0].kind == Kind::number && copy.args[0].number == 0;
  return alone ? right : binary(Kind::sum, std::move(copy.args[0]), std::move(right));
}

Node of_collection(Node node) {
  std::vector<Node> items;
  for (Node& arg : node.args) {
    Node item = interpreted(std::move(arg));
    // "\pm 1, \pm 2" are four.
    const bool several = node.kind != Kind::tuple && item.kind == Kind::list;
    if (several) {
      std::ranges::move(item.args, std::back_inserter(items));
    } else {
      items.push_back(std::move(item));
    }
  }
  node.args = std::move(items);
  if (node.kind == Kind::tuple) return node;
  // "x = 1 or x = 2" and "x = 1, 2" are values of one thing.
  const auto is_named = [](const Node& item) { return item.kind == Kind::named; };
  const bool one_name =
      is_named(node.args.front()) && std::ranges::all_of(node.args, [&](const Node& item) {
        return is_named(item) ? item.args[1] == node.args.front().args[1] : &item != &node.args.front();
      });
  const auto n_named = std::ranges::count_if(node.args, is_named);
  if (one_name && (n_named == 1 || n_named == static_cast<long>(node.args.size()))) {
    if (node.kind == Kind::list) node.name = "or";
    for (Node& item : node.args) {
      if (!is_named(item)) continue;
      Node value = std::move(item.args[0]);
      item = std::move(value);
    }
  }
  return node;
}

Node of_words(Node node) {
  constexpr std::array<std::string_view, 8> nothing = {
      "no solution",   "no solutions", "no real solution", "no real solutions",
      "no real roots", "empty set",    "the empty set",    "no real solutions exist"};
  constexpr std::array<std::string_view, 4> reals = {"all real numbers", "all reals", "the real numbers",
                                                     "real numbers"};
  const std::string text = lower(node.name);
  if (std::ranges::find(nothing, text) != nothing.end()) return constant("nothing");
  if (std::ranges::find(reals, text) != reals.end()) return constant("reals");
  return node;
}

// What is per cent or degrees as a whole.
Node of_scalar(Node node) {
  if (node.kind == Kind::negative && node.args[0].kind == Kind::percent)
    return unary(Kind::percent, unary(Kind::negative, std::move(node.args[0].args[0])));
  const Node& inner = node.kind == Kind::negative ? node.args[0] : node;
  if (inner.kind == Kind::function && inner.name == "degree") {
    Node angle = inner.args[0];
    if (node.kind == Kind::negative) angle = unary(Kind::negative, std::move(angle));
    node = unary(Kind::quantity, std::move(angle));
    node.name = "degree";
  }
  return node;
}

}  // namespace

Node interpreted(Node node) {
  const bool signs = (is_scalar(node) || node.kind == Kind::tuple) && contains(node, Kind::plus_minus);
  if (signs) {
    Node list = binary(Kind::list, with_signs(node, true), with_signs(node, false));
    list.name = "or";
    return of_collection(std::move(list));
  }
  switch (node.kind) {
    case Kind::relation:
      return of_relation(std::move(node));
    case Kind::list:
    case Kind::tuple:
    case Kind::set:
      return of_collection(std::move(node));
    case Kind::words:
      return of_words(std::move(node));
    case Kind::matrix:
      for (Node& row : node.args) {
        for (Node& entry : row.args) entry = interpreted(std::move(entry));
      }
      return node;
    case Kind::set_union:
    case Kind::without:
      for (Node& arg : node.args) arg = interpreted(std::move(arg));
      return node;
    default:
      return of_scalar(std::move(node));
  }
}

}  // namespace lanerope::answers
