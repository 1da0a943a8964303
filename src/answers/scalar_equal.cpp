// SPDX-License-Identifier: Apache-2.0
#include "answers/scalar_equal.h"

#include <algorithm>
#include <array>
#include <optional>
#include <random>
#include <vector>

namespace lanerope::answers {

namespace {

// A number that is written with a point, or one times a power of ten.
struct Decimal {
  Rational value;
  long decimals;
  int significant;
};

std::optional<Decimal> decimal_of(const Node& node) {
  if (node.kind == Kind::number && node.decimals)
    return Decimal{.value = node.number, .decimals = *node.decimals, .significant = node.significant};
  if (node.kind == Kind::negative) {
    auto decimal = decimal_of(node.args[0]);
    if (decimal) decimal->value = -decimal->value;
    return decimal;
  }
  if (node.kind != Kind::product || node.args[1].kind != Kind::power) return std::nullopt;
  const Node& ten = node.args[1].args[0];
  const Node& written = node.args[1].args[1];
  const bool minus = written.kind == Kind::negative;
  const Node& exponent = minus ? written.args[0] : written;
  const bool scientific = ten.kind == Kind::number && ten.number == 10 && exponent.kind == Kind::number &&
                          is_whole(exponent.number) && exponent.number <= 1000;
  auto decimal = scientific ? decimal_of(node.args[0]) : std::nullopt;
  if (!decimal) return std::nullopt;
  const long shift = (minus ? -1 : 1) * exponent.number.get_num().get_si();
  const Rational scale(power_of_ten(static_cast<unsigned long>(std::abs(shift))));
  decimal->value = shift < 0 ? Rational(decimal->value / scale) : Rational(decimal->value * scale);
  decimal->decimals -= shift;
  return decimal;
}

// Whether a value has so few digits behind the point that it would have been written in full.
bool is_short_decimal(const Rational& value) {
  const Rational shifted = abs(value) * Rational(power_of_ten(6)) + Rational(1, 2);
  const Integer nearest = shifted.get_num() / shifted.get_den();
  const Rational difference = abs(shifted - Rational(1, 2) - Rational(nearest));
  // An irrational value is near one where it is one: \log_2 8.
  return difference * Rational(power_of_ten(40)) < 1;
}

Rational unit_of_last_digit(long decimals) {
  const Rational scale(power_of_ten(static_cast<unsigned long>(std::abs(decimals))));
  return decimals >= 0 ? Rational(1 / scale) : scale;
}

// Rounded or cut off at the decimal's last digit.
bool is_rounding_of(const Decimal& decimal, const Value& value, bool of_decimal = false) {
  constexpr int least_digits = 4;
  constexpr long most_decimals = 2000;
  // Of "10.000" nobody means that it is about something else.
  if (decimal.significant < least_digits || is_whole(decimal.value) ||
      std::abs(decimal.decimals) > most_decimals)
    return false;
  if (!value.is_real() || value.is_vague()) return false;
  Rational exact;
  if (value.exact()) {
    exact = *value.exact();
  } else {
    const Complex x = value.approximate();
    if (std::abs(x.exponent()) > 4 * most_decimals) return false;
    mpfr_get_q(exact.get_mpq_t(), x.real());
  }
  if (!of_decimal && is_short_decimal(exact)) return false;
  const Rational difference = abs(exact - decimal.value);
  if (difference * 10000 > abs(exact)) return false;
  const Rational unit = unit_of_last_digit(decimal.decimals);
  const bool cut_off = difference < unit && abs(decimal.value) <= abs(exact);
  return difference * 2 <= unit || cut_off;
}

bool constants_equal(const Node& a, const Node& b, Evaluator& evaluate) {
  const auto of_a = evaluate(a);
  const auto of_b = evaluate(b);
  if (!of_a || !of_b) return a == b;
  if (same_value(*of_a, *of_b)) return true;
  const auto decimal_a = decimal_of(a);
  const auto decimal_b = decimal_of(b);
  if (decimal_a && decimal_b) {
    if (decimal_a->decimals == decimal_b->decimals) return false;
    return decimal_a->decimals < decimal_b->decimals ? is_rounding_of(*decimal_a, *of_b, true)
                                                     : is_rounding_of(*decimal_b, *of_a, true);
  }
  const auto rounds = [](const std::optional<Decimal>& decimal, const Value& value) {
    return decimal && is_rounding_of(*decimal, value);
  };
  return rounds(decimal_a, *of_b) || rounds(decimal_b, *of_a) || a == b;
}

// Positive and negative ones, near zero and far from it, and whole numbers, at which (-1)^n is defined.
// Nothing simple holds between the values of two variables.
std::vector<Point> points_for(const std::set<std::string>& variables) {
  struct Range {
    long least, most, bottom;
  };
  constexpr std::array ranges = {Range{11, 97, 101},     Range{103, 389, 97},    Range{401, 997, 89},
                                 Range{1009, 2903, 83},  Range{3, 4, 1},         Range{13, 83, 103},
                                 Range{-89, -7, 101},    Range{7, 19, 1},        Range{5, 14, 1},
                                 Range{-397, -103, 107}, Range{-1999, -601, 109}};
  std::mt19937 random(20260101);
  std::vector<Point> points;
  for (const Range& range : ranges) {
    Point point;
    for (const std::string& name : variables) {
      const auto width = static_cast<unsigned long>(range.most - range.least + 1);
      Rational value(range.least + static_cast<long>(random() % width), range.bottom);
      value.canonicalize();
      point[name] = value;
    }
    points.push_back(std::move(point));
  }
  return points;
}

constexpr int wanted_points = 3;

std::set<std::string> variables_of_both(const Node& a, const Node& b) {
  std::set<std::string> variables = variables_of(a);
  variables.merge(variables_of(b));
  return variables;
}

bool stays_real(const Node& a, const Node& b) {
  return !contains_constant(a, "i") && !contains_constant(b, "i");
}

}  // namespace

bool scalars_equal(const Node& a, const Node& b, Evaluator& evaluate) {
  const std::set<std::string> variables = variables_of_both(a, b);
  if (variables.empty()) return constants_equal(a, b, evaluate);
  const bool real = stays_real(a, b);
  int agreed = 0;
  for (const Point& point : points_for(variables)) {
    const auto of_a = evaluate(a, point, real);
    const auto of_b = of_a ? evaluate(b, point, real) : std::nullopt;
    if (!of_a || !of_b) continue;
    if (!same_value(*of_a, *of_b)) return a == b;
    ++agreed;
  }
  return agreed >= wanted_points || a == b;
}

int multiple_sign(const Node& a, const Node& b, Evaluator& evaluate) {
  const std::set<std::string> variables = variables_of_both(a, b);
  const bool real = stays_real(a, b);
  std::optional<Value> ratio;
  int agreed = 0;
  for (const Point& point : points_for(variables)) {
    const auto of_a = evaluate(a, point, real);
    const auto of_b = of_a ? evaluate(b, point, real) : std::nullopt;
    if (!of_a || !of_b) continue;
    if (of_a->is_zero() != of_b->is_zero()) return 0;
    const auto inverse = invert(*of_b);
    const auto here = inverse ? multiply(*of_a, *inverse) : std::nullopt;
    if (!here) continue;
    if (ratio && !same_value(*ratio, *here)) return 0;
    ratio = here;
    ++agreed;
  }
  if (agreed < wanted_points || !ratio || !ratio->is_real() || ratio->is_zero()) return 0;
  return mpfr_sgn(ratio->approximate().real());
}

}  // namespace lanerope::answers
