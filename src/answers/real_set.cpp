// SPDX-License-Identifier: Apache-2.0
#include "answers/real_set.h"

#include <algorithm>

namespace lanerope::answers {

namespace {

constexpr size_t most_intervals = 64;

Node infinity() {
  return constant("infty");
}
Node minus_infinity() {
  return unary(Kind::negative, constant("infty"));
}

bool is_inequality(std::string_view relation) {
  return relation == "<" || relation == ">" || relation == "<=" || relation == ">=" || relation == "!=";
}

// Whether a lies below b; nothing where that cannot be told.
std::optional<bool> is_below(const Node& a, const Node& b, Evaluator& evaluate) {
  if (is_infinite(a)) return a.kind == Kind::negative && !(is_infinite(b) && b.kind == Kind::negative);
  if (is_infinite(b)) return b.kind != Kind::negative;
  const auto of_a = evaluate(a);
  const auto of_b = evaluate(b);
  if (!of_a || !of_b || !of_a->is_real() || !of_b->is_real()) return std::nullopt;
  return mpfr_cmp(of_a->approximate().real(), of_b->approximate().real()) < 0;
}

bool is_constant(const Node& node) {
  return is_scalar(node) && variables_of(node).empty();
}

RealSet half_line(const Node& end, std::string relation, bool variable_first, std::string variable) {
  const bool closed = relation.ends_with('=');
  const bool upper = (relation.front() == '<') == variable_first;  // the end is above the variable
  Interval interval{.low = minus_infinity(), .high = infinity()};
  (upper ? interval.high : interval.low) = end;
  (upper ? interval.has_high : interval.has_low) = closed;
  return {.intervals = {std::move(interval)}, .variable = std::move(variable)};
}

// The reals but for one point.
RealSet all_but(const Node& point, std::string variable) {
  return {.intervals = {{.low = minus_infinity(), .high = point}, {.low = point, .high = infinity()}},
          .variable = std::move(variable)};
}

std::optional<RealSet> of_inequality(const Node& node) {
  const auto& args = node.args;
  const auto is_variable = [](const Node& side) { return side.kind == Kind::variable; };
  if (args.size() == 2 && is_inequality(node.name)) {
    const bool first = is_variable(args[0]) && is_constant(args[1]);
    if (!first && !(is_variable(args[1]) && is_constant(args[0]))) return std::nullopt;
    const Node& end = first ? args[1] : args[0];
    const std::string variable = first ? args[0].name : args[1].name;
    return node.name == "!=" ? all_but(end, variable) : half_line(end, node.name, first, variable);
  }
  const size_t space = node.name.find(' ');
  if (args.size() != 3 || space == std::string::npos) return std::nullopt;
  const std::string left = node.name.substr(0, space);
  const std::string right = node.name.substr(space + 1);
  const bool usable = is_constant(args[0]) && is_variable(args[1]) && is_constant(args[2]) &&
                      left.front() == right.front() && (left.front() == '<' || left.front() == '>');
  if (!usable) return std::nullopt;
  const bool rising = left.front() == '<';
  return RealSet{.intervals = {{.low = rising ? args[0] : args[2],
                                .high = rising ? args[2] : args[0],
                                .has_low = (rising ? left : right).ends_with('='),
                                .has_high = (rising ? right : left).ends_with('=')}},
                 .variable = args[1].name};
}

// Two half-lines that overlap, or anything in which single points are left out.
std::optional<RealSet> intersection(const RealSet& a, const RealSet& b, Evaluator& evaluate) {
  if (a.variable != b.variable || a.intervals.size() > most_intervals) return std::nullopt;
  RealSet result{.intervals = {}, .variable = a.variable};
  for (const Interval& x : a.intervals) {
    for (const Interval& y : b.intervals) {
      const auto x_lower = is_below(x.low, y.low, evaluate);
      const auto y_higher = is_below(x.high, y.high, evaluate);
      if (!x_lower || !y_higher) return std::nullopt;
      const Interval& above = *x_lower ? y : x;
      const Interval& below = *y_higher ? x : y;
      const auto some = is_below(above.low, below.high, evaluate);
      if (some && *some) {
        result.intervals.push_back(
            {.low = above.low, .high = below.high, .has_low = above.has_low, .has_high = below.has_high});
      }
    }
  }
  return result;
}

std::optional<RealSet> unsorted_set(const Node& node, Evaluator& evaluate);

std::optional<RealSet> of_several(const Node& node, bool all, Evaluator& evaluate) {
  RealSet result;
  for (size_t i = 0; i < node.args.size(); ++i) {
    const auto part = unsorted_set(node.args[i], evaluate);
    if (!part || result.intervals.size() + part->intervals.size() > most_intervals) return std::nullopt;
    if (i == 0) {
      result = *part;
    } else if (all) {
      auto both = intersection(result, *part, evaluate);
      if (!both) return std::nullopt;
      result = std::move(*both);
    } else {
      if (result.variable != part->variable) return std::nullopt;
      std::ranges::copy(part->intervals, std::back_inserter(result.intervals));
    }
  }
  return result;
}

std::optional<RealSet> without_points(const Node& node, Evaluator& evaluate) {
  auto result = unsorted_set(node.args[0], evaluate);
  if (!result || node.args[1].kind != Kind::set) return std::nullopt;
  for (const Node& point : node.args[1].args) {
    RealSet rest = all_but(point, result->variable);
    result = intersection(*result, rest, evaluate);
    if (!result) return std::nullopt;
  }
  return result;
}

std::optional<RealSet> unsorted_set(const Node& node, Evaluator& evaluate) {
  switch (node.kind) {
    case Kind::constant:
      if (node.name != "reals") return std::nullopt;
      return RealSet{.intervals = {{.low = minus_infinity(), .high = infinity()}}, .variable = {}};
    case Kind::tuple:
      if (node.args.size() != 2 || !is_constant(node.args[0]) || !is_constant(node.args[1]))
        return std::nullopt;
      return RealSet{.intervals = {{.low = node.args[0],
                                    .high = node.args[1],
                                    .has_low = node.name.starts_with('['),
                                    .has_high = node.name.ends_with(']')}},
                     .variable = {}};
    case Kind::set: {
      RealSet points;
      for (const Node& point : node.args) {
        if (!is_constant(point) || points.intervals.size() >= most_intervals) return std::nullopt;
        points.intervals.push_back({.low = point, .high = point, .has_low = true, .has_high = true});
      }
      return points;
    }
    case Kind::named:
      return unsorted_set(node.args[0], evaluate);
    case Kind::relation:
      return of_inequality(node);
    case Kind::set_union:
      return of_several(node, false, evaluate);
    case Kind::list: {
      // A comma between conditions: all of them where they are inequations of one thing ("x \ne 1, x \ne 2").
      const bool different = std::ranges::all_of(
          node.args, [](const Node& arg) { return arg.kind == Kind::relation && arg.name == "!="; });
      return of_several(node, node.name == "and" || different, evaluate);
    }
    case Kind::without:
      return without_points(node, evaluate);
    default:
      return std::nullopt;
  }
}

}  // namespace

bool is_infinite(const Node& node) {
  const Node& inner = node.kind == Kind::negative ? node.args[0] : node;
  return inner.kind == Kind::constant && inner.name == "infty";
}

bool looks_like_real_set(const Node& node) {
  if (node.kind == Kind::named) return looks_like_real_set(node.args[0]);
  if (node.kind == Kind::relation)
    return node.name.find('<') != std::string::npos || node.name.find('>') != std::string::npos ||
           node.name == "!=";
  if (node.kind == Kind::list) return std::ranges::all_of(node.args, looks_like_real_set);
  return node.kind == Kind::set_union || node.kind == Kind::without ||
         (node.kind == Kind::constant && node.name == "reals");
}

std::optional<RealSet> real_set(const Node& node, Evaluator& evaluate) {
  auto result = unsorted_set(node, evaluate);
  if (!result) return std::nullopt;
  std::ranges::stable_sort(result->intervals, [&](const Interval& a, const Interval& b) {
    return is_below(a.low, b.low, evaluate).value_or(false);
  });
  return result;
}

}  // namespace lanerope::answers
