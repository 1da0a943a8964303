// SPDX-License-Identifier: Apache-2.0
#include "answers/expression.h"

#include <algorithm>

namespace lanerope::answers {

bool operator==(const Node& a, const Node& b) {
  return a.kind == b.kind && a.name == b.name && a.decimals == b.decimals && a.number == b.number &&
         a.args == b.args;
}

bool is_scalar(const Node& node) {
  switch (node.kind) {
    case Kind::list:
    case Kind::tuple:
    case Kind::set:
    case Kind::matrix:
    case Kind::set_union:
    case Kind::without:
    case Kind::relation:
    case Kind::words:
    case Kind::named:
    case Kind::either:
      return false;
    case Kind::constant:
      return node.name != "nothing" && node.name != "reals";
    default:
      return std::ranges::all_of(node.args, is_scalar);
  }
}

bool contains(const Node& node, Kind kind) {
  return node.kind == kind ||
         std::ranges::any_of(node.args, [&](const Node& arg) { return contains(arg, kind); });
}

bool contains_constant(const Node& node, std::string_view name) {
  if (node.kind == Kind::constant && node.name == name) return true;
  return std::ranges::any_of(node.args, [&](const Node& arg) { return contains_constant(arg, name); });
}

Node whole(long value) {
  return {.kind = Kind::number, .number = Rational(value)};
}

Node constant(std::string_view name) {
  return {.kind = Kind::constant, .name = std::string(name)};
}

Node unary(Kind kind, Node argument) {
  Node node{.kind = kind};
  node.args.push_back(std::move(argument));
  return node;
}

Node binary(Kind kind, Node left, Node right) {
  Node node{.kind = kind};
  node.args.push_back(std::move(left));
  node.args.push_back(std::move(right));
  return node;
}

}  // namespace lanerope::answers
