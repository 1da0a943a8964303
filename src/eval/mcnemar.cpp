// SPDX-License-Identifier: Apache-2.0
#include "eval/mcnemar.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <optional>
#include <vector>

namespace lanerope::eval {

namespace {

// A question's second share less its first, in lowest terms.
struct Difference {
  int64_t numerator = 0;
  int64_t denominator = 1;
};

Difference difference_of(const Tally& first, const Tally& second) {
  const int64_t of = std::lcm(first.of, second.of);
  const int64_t numerator = second.right * (of / second.of) - first.right * (of / first.of);
  const int64_t common = std::gcd(numerator, of);
  return {.numerator = numerator / common, .denominator = of / common};
}

// The differences as multiples of one fraction; nothing where that is too small to count with.
std::optional<std::vector<int64_t>> multiples_of(std::span<const Difference> differences) {
  constexpr int64_t largest = 1'000'000;
  int64_t denominator = 1;
  for (const Difference& difference : differences) {
    denominator = std::lcm(denominator, difference.denominator);
    if (denominator > largest) return std::nullopt;
  }
  std::vector<int64_t> multiples;
  for (const Difference& difference : differences)
    multiples.push_back(difference.numerator * (denominator / difference.denominator));
  return multiples;
}

// The sum at its widest, all signs alike.
int64_t width_of(std::span<const int64_t> numbers) {
  int64_t width = 0;
  for (const int64_t number : numbers) width += std::abs(number);
  return width;
}

// Of all ways to give each of these numbers a sign, the share whose sum is as far from 0 as theirs or
// farther.
double share_of_signs(std::span<const int64_t> numbers) {
  const int64_t sum = std::accumulate(numbers.begin(), numbers.end(), int64_t{0});
  const int64_t widest = width_of(numbers);
  std::vector<double> share(static_cast<size_t>(2 * widest + 1));  // [sum + widest]
  share[static_cast<size_t>(widest)] = 1;
  int64_t reached = 0;
  std::vector<double> next(share.size());
  for (const int64_t signed_number : numbers) {
    const int64_t number = std::abs(signed_number);
    std::ranges::fill(next, 0.0);
    for (int64_t at = widest - reached; at <= widest + reached; ++at) {
      const double half = share[static_cast<size_t>(at)] / 2;
      if (half == 0) continue;
      next[static_cast<size_t>(at + number)] += half;
      next[static_cast<size_t>(at - number)] += half;
    }
    reached += number;
    share.swap(next);
  }
  double far = 0;
  for (int64_t at = 0; at <= 2 * widest; ++at) {
    if (std::abs(at - widest) >= std::abs(sum)) far += share[static_cast<size_t>(at)];
  }
  return std::min(far, 1.0);
}

bool can_be_counted(std::span<const int64_t> numbers) {
  constexpr int64_t widest = 4'000'000;
  constexpr int64_t most_steps = 400'000'000;
  const int64_t width = width_of(numbers);
  return width <= widest && width * std::ssize(numbers) <= most_steps;
}

double by_chi_squared(std::span<const Difference> differences) {
  double sum = 0;
  double squares = 0;
  for (const Difference& difference : differences) {
    const double value =
        static_cast<double>(difference.numerator) / static_cast<double>(difference.denominator);
    sum += value;
    squares += value * value;
  }
  return std::erfc(std::sqrt(sum * sum / squares / 2));
}

}  // namespace

McNemar mcnemar(std::span<const Tally> first, std::span<const Tally> second) {
  McNemar test;
  std::vector<Difference> differences;
  for (size_t i = 0; i < first.size(); ++i) {
    const Difference difference = difference_of(first[i], second[i]);
    if (difference.numerator == 0) continue;
    ++(difference.numerator > 0 ? test.second_alone : test.first_alone);
    differences.push_back(difference);
  }
  if (differences.empty()) return test;
  const std::optional<std::vector<int64_t>> numbers = multiples_of(differences);
  test.exact = numbers && can_be_counted(*numbers);
  test.p = test.exact ? share_of_signs(*numbers) : by_chi_squared(differences);
  return test;
}

}  // namespace lanerope::eval
