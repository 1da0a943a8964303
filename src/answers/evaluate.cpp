// SPDX-License-Identifier: Apache-2.0
#include "answers/evaluate.h"

#include <algorithm>

namespace lanerope::answers {

namespace {

int cost_of(const Node& node) {
  if (node.kind == Kind::function || node.kind == Kind::power || node.kind == Kind::root) return 8;
  return 1;
}

// "2112_6" in tens; nothing where a digit is too large for its base.
std::optional<Value> value_in_base(const Node& node) {
  const long base = node.number.get_num().get_si();
  if (base < 2 || base > 10) return std::nullopt;
  const bool fits =
      std::ranges::all_of(node.name, [&](char c) { return c >= '0' && c < static_cast<char>('0' + base); });
  if (!fits || node.name.size() > 1000) return std::nullopt;
  return Value(Rational(Integer(node.name, static_cast<int>(base))));
}

}  // namespace

std::set<std::string> variables_of(const Node& node) {
  std::set<std::string> result;
  if (node.kind == Kind::variable) result.insert(node.name);
  for (const Node& arg : node.args) result.merge(variables_of(arg));
  return result;
}

std::optional<Value> Evaluator::constant_value(const Node& node) {
  if (node.name == "pi") return pi();
  if (node.name == "i") return imaginary_unit();
  if (node.name == "e") return value_of_function("exp", Value(Rational(1)));
  return std::nullopt;
}

std::optional<Value> Evaluator::operator()(const Node& node, const Point& point, bool real) {
  steps_ -= cost_of(node);
  if (steps_ <= 0) return std::nullopt;
  auto value = node_value(node, point, real);
  if (value && real && !value->is_real()) return std::nullopt;
  return value;
}

std::optional<Value> Evaluator::node_value(const Node& node, const Point& point, bool real) {
  switch (node.kind) {
    case Kind::number:
      return Value(node.number);
    case Kind::constant:
      return constant_value(node);
    case Kind::variable: {
      const auto found = point.find(node.name);
      return found != point.end() ? std::optional(Value(found->second)) : std::nullopt;
    }
    case Kind::based:
      return value_in_base(node);
    default:
      break;
  }
  if (node.args.empty()) return std::nullopt;
  const auto first = (*this)(node.args[0], point, real);
  if (!first) return std::nullopt;
  if (node.kind == Kind::sum) {
    std::optional<Value> total = first;
    for (size_t i = 1; i < node.args.size() && total; ++i) {
      const auto next = (*this)(node.args[i], point, real);
      total = next ? add(*total, *next) : std::nullopt;
    }
    return total;
  }
  if (node.kind == Kind::negative) return negate(*first);
  if (node.kind == Kind::percent) return multiply(*first, Value(Rational(1, 100)));
  if (node.kind == Kind::function && node.args.size() == 1) return value_of_function(node.name, *first);
  if (node.args.size() != 2) return std::nullopt;
  const auto second = (*this)(node.args[1], point, real);
  if (!second) return std::nullopt;
  switch (node.kind) {
    case Kind::product:
      return multiply(*first, *second);
    case Kind::quotient: {
      const auto inverse = invert(*second);
      return inverse ? multiply(*first, *inverse) : std::nullopt;
    }
    case Kind::power:
      // e^x by the function that is made for it.
      if (node.args[0].kind == Kind::constant && node.args[0].name == "e")
        return value_of_function("exp", *second);
      return raise(*first, *second);
    case Kind::root:
      return root_of(*first, *second);
    case Kind::function:
      break;
    default:
      return std::nullopt;
  }
  if (node.name == "binom") return binomial(*first, *second);
  if (node.name != "log") return std::nullopt;
  const auto top = value_of_function("ln", *first);
  const auto bottom = value_of_function("ln", *second);
  const auto inverse = bottom ? invert(*bottom) : std::nullopt;
  return top && inverse ? multiply(*top, *inverse) : std::nullopt;
}

}  // namespace lanerope::answers
