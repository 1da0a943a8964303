// SPDX-License-Identifier: Apache-2.0
#include "answers/compare.h"

#include <algorithm>

#include "answers/real_set.h"
#include "answers/scalar_equal.h"
#include "answers/units.h"
#include "answers/words.h"

namespace lanerope::answers {

namespace {

bool is_collection(const Node& node) {
  return node.kind == Kind::list || node.kind == Kind::tuple || node.kind == Kind::set;
}

bool all_named(const Node& node) {
  return std::ranges::all_of(node.args, [](const Node& arg) { return arg.kind == Kind::named; });
}

// "x = 3" as the equation that it is.
Node as_relation(const Node& node) {
  if (node.kind != Kind::named) return node;
  Node relation = binary(Kind::relation, node.args[1], node.args[0]);
  relation.name = "=";
  return relation;
}

// left - right.
Node difference(const Node& relation) {
  return binary(Kind::sum, relation.args[0], unary(Kind::negative, relation.args[1]));
}

}  // namespace

bool Comparison::same(const Node& a, const Node& b) {
  if (--left_ < 0 || evaluate_.exhausted()) return false;
  if (a == b) return true;
  if (a.kind == Kind::either) return either_same(a, b);
  if (b.kind == Kind::either) return either_same(b, a);
  if (looks_like_real_set(a) || looks_like_real_set(b)) {
    if (real_sets_same(a, b)) return true;
  }
  if (a.kind == Kind::named || b.kind == Kind::named) return named_same(a, b);
  if (a.kind == Kind::relation || b.kind == Kind::relation) return relations_same(a, b);
  if (is_collection(a) || is_collection(b)) return collections_same(a, b);
  if (a.kind == Kind::matrix && b.kind == Kind::matrix) return matrices_same(a, b);
  if (a.kind == Kind::words && b.kind == Kind::words) return folded_words(a.name) == folded_words(b.name);
  const auto measured = [](const Node& node) {
    return node.kind == Kind::quantity || node.kind == Kind::percent;
  };
  if (measured(a) || measured(b)) return quantities_same(a, b);
  if (a.kind == Kind::based || b.kind == Kind::based) return based_same(a, b);
  return is_scalar(a) && is_scalar(b) && scalars_equal(a, b, evaluate_);
}

bool Comparison::either_same(const Node& either, const Node& other) {
  return std::ranges::any_of(either.args, [&](const Node& value) { return same(value, other); });
}

bool Comparison::named_same(const Node& a, const Node& b) {
  if (a.kind == Kind::named && b.kind == Kind::named) {
    if (a.args[1] == b.args[1]) return same(a.args[0], b.args[0]);
    return relations_same(as_relation(a), as_relation(b));
  }
  const Node& named = a.kind == Kind::named ? a : b;
  const Node& other = a.kind == Kind::named ? b : a;
  if (other.kind == Kind::relation) return relations_same(as_relation(named), other);
  return same(named.args[0], other);
}

// A unit on one side alone does not matter, per cent is a hundredth or nothing, and degrees may be radians.
bool Comparison::quantities_same(const Node& a, const Node& b) {
  if (a.kind == Kind::percent || b.kind == Kind::percent) {
    if (a.kind == Kind::percent && b.kind == Kind::percent) return same(a.args[0], b.args[0]);
    const Node& percent = a.kind == Kind::percent ? a : b;
    const Node& other = a.kind == Kind::percent ? b : a;
    if (other.kind == Kind::quantity) return false;
    const Node hundredth = binary(Kind::quotient, percent.args[0], whole(100));
    return same(percent.args[0], other) || same(hundredth, other);
  }
  if (a.kind != Kind::quantity || b.kind != Kind::quantity) {
    const Node& quantity = a.kind == Kind::quantity ? a : b;
    const Node& other = a.kind == Kind::quantity ? b : a;
    if (same(quantity.args[0], other)) return true;
    if (quantity.name != "degree" || !contains_constant(other, "pi")) return false;
    Node radians = unary(Kind::function, quantity.args[0]);
    radians.name = "degree";
    return same(radians, other);
  }
  const Unit unit_a = unit_of(a.name);
  const Unit unit_b = unit_of(b.name);
  if (unit_a.measures.empty() || unit_b.measures.empty()) return same(a.args[0], b.args[0]);
  if (unit_a.measures != unit_b.measures) return false;
  if (unit_a.size == unit_b.size) return same(a.args[0], b.args[0]);
  Node ratio{.kind = Kind::number, .number = Rational(unit_a.size / unit_b.size)};
  return same(binary(Kind::product, a.args[0], std::move(ratio)), b.args[0]);
}

// "2112_6" is 2112 to those who were asked for base six.
bool Comparison::based_same(const Node& a, const Node& b) {
  const auto digits = [](const Node& node) {
    return node.kind == Kind::based ? Integer(node.name, 10) : node.number.get_num();
  };
  const auto is_digits = [](const Node& node) {
    return node.kind == Kind::based || (node.kind == Kind::number && is_whole(node.number));
  };
  if (!is_digits(a) || !is_digits(b) || digits(a) != digits(b)) return false;
  return a.kind != b.kind || a.number == b.number;
}

bool Comparison::in_order(std::span<const Node> a, std::span<const Node> b) {
  return std::ranges::equal(a, b, [this](const Node& x, const Node& y) { return same(x, y); });
}

bool Comparison::in_any_order(std::span<const Node> a, std::span<const Node> b) {
  if (a.size() != b.size()) return false;
  std::vector<bool> taken(b.size());
  return std::ranges::all_of(a, [&](const Node& item) {
    for (size_t i = 0; i < b.size(); ++i) {
      if (taken[i] || !same(item, b[i])) continue;
      taken[i] = true;
      return true;
    }
    return false;
  });
}

bool Comparison::collections_same(const Node& a, const Node& b) {
  if (!is_collection(a) || !is_collection(b)) {
    // A set of one is that one.
    const Node& some = is_collection(a) ? a : b;
    const Node& other = is_collection(a) ? b : a;
    return some.kind == Kind::set && some.args.size() == 1 && same(some.args.front(), other);
  }
  if (a.kind == Kind::tuple && b.kind == Kind::tuple) return a.name == b.name && in_order(a.args, b.args);
  if (a.kind == Kind::tuple || b.kind == Kind::tuple) {
    // "1, 2" may lack its brackets; a set is no tuple, nor a list an interval that is closed.
    const Node& tuple = a.kind == Kind::tuple ? a : b;
    const Node& other = a.kind == Kind::tuple ? b : a;
    return other.kind == Kind::list && other.name == "," && tuple.name == "()" &&
           in_order(tuple.args, other.args);
  }
  // "x = 9, y = 11" and "9, 11".
  if (all_named(a) != all_named(b)) return in_order(a.args, b.args);
  return in_any_order(a.args, b.args);
}

bool Comparison::matrices_same(const Node& a, const Node& b) {
  return std::ranges::equal(a.args, b.args,
                            [this](const Node& x, const Node& y) { return in_order(x.args, y.args); });
}

bool Comparison::relations_same(const Node& a, const Node& b) {
  const auto is_ratio = [](const Node& node) {
    return node.kind == Kind::relation && node.name == ":" && std::ranges::all_of(node.args, is_scalar);
  };
  // "3 : 4" and \frac{3}{4}.
  if (is_ratio(a) && is_scalar(b)) return same(binary(Kind::quotient, a.args[0], a.args[1]), b);
  if (is_ratio(b) && is_scalar(a)) return relations_same(b, a);
  if (a.kind != Kind::relation || b.kind != Kind::relation || a.args.size() != b.args.size()) return false;
  const auto flipped = [](std::string name) {
    if (name.starts_with('>')) {
      name.front() = '<';
    } else if (name.starts_with('<')) {
      name.front() = '>';
    }
    return name;
  };
  if (a.args.size() != 2 || a.name == ":" || a.name == "in")
    return a.name == b.name && in_order(a.args, b.args);
  const auto comparable = [](const Node& node) { return std::ranges::all_of(node.args, is_scalar); };
  if (!comparable(a) || !comparable(b)) return a.name == b.name && in_order(a.args, b.args);
  const int sign = multiple_sign(difference(a), difference(b), evaluate_);
  if (sign == 0) return false;
  return sign > 0 || a.name == "=" || a.name == "!=" ? a.name == b.name : flipped(a.name) == b.name;
}

bool Comparison::real_sets_same(const Node& a, const Node& b) {
  const auto of_a = real_set(a, evaluate_);
  const auto of_b = of_a ? real_set(b, evaluate_) : std::nullopt;
  if (!of_b) return false;
  const bool other_variable =
      !of_a->variable.empty() && !of_b->variable.empty() && of_a->variable != of_b->variable;
  if (other_variable) return false;
  return std::ranges::equal(of_a->intervals, of_b->intervals, [this](const Interval& x, const Interval& y) {
    const auto same_end = [this](const Node& end, bool closed, const Node& other, bool other_closed) {
      if (is_infinite(end) || is_infinite(other)) return end == other;
      return closed == other_closed && same(end, other);
    };
    return same_end(x.low, x.has_low, y.low, y.has_low) && same_end(x.high, x.has_high, y.high, y.has_high);
  });
}

}  // namespace lanerope::answers
