// SPDX-License-Identifier: Apache-2.0
#include "eval/comparison.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

namespace lanerope::eval {

namespace {

// Columns of one arm at one budget, a value a question.
struct Columns {
  std::vector<double> majority;
  std::vector<double> pass;
  std::vector<double> oracle;
  std::vector<double> tokens;
  std::vector<double> seconds;
};

Columns columns_of(const PairedArm& arm, int32_t budget, bool unfinished) {
  Columns columns;
  for (const QuestionLanes& question : arm.questions) {
    const std::vector<LaneVote> votes = question.within(budget, unfinished);
    const auto right = std::ranges::count_if(votes, &LaneVote::right);
    double tokens = 0;
    for (const LaneVote& vote : votes) tokens += vote.lane->tokens_within(budget);
    columns.majority.push_back(majority(question, votes));
    columns.pass.push_back(static_cast<double>(right) / static_cast<double>(votes.size()));
    columns.oracle.push_back(right > 0 ? 1 : 0);
    columns.tokens.push_back(tokens);
    columns.seconds.push_back(question.seconds_within(budget));
  }
  return columns;
}

std::vector<double> less(std::span<const double> a, std::span<const double> b) {
  std::vector<double> difference(a.begin(), a.end());
  for (size_t i = 0; i < difference.size(); ++i) difference[i] -= b[i];
  return difference;
}

Contrast contrast(const Bootstrap& bootstrap, std::span<const double> first, std::span<const double> second) {
  const std::vector<double> difference = less(second, first);
  return {.first = bootstrap.share(first),
          .second = bootstrap.share(second),
          .difference = bootstrap.share(difference),
          .second_better = bootstrap.share_above_zero(difference)};
}

// Of all ways to give each of these numbers a sign, the share whose sum is as far from 0 as `sum` or farther.
double share_of_signs(const std::vector<int64_t>& numbers, int64_t sum) {
  const int64_t widest = std::accumulate(numbers.begin(), numbers.end(), int64_t{0});
  std::vector<double> share(static_cast<size_t>(2 * widest + 1));  // [sum + widest]
  share[static_cast<size_t>(widest)] = 1;
  int64_t reached = 0;
  std::vector<double> next(share.size());
  for (const int64_t number : numbers) {
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

// The budgets at which anything changes: lengths of lanes and of what they settled on; thinned where they are
// many.
std::vector<int32_t> budgets_of(const PairedArm& arm, const ComparisonOptions& options) {
  constexpr size_t most = 200;
  std::set<int32_t> lengths = {options.budget};
  for (const QuestionLanes& question : arm.questions) {
    for (const EvalLane* lane : question.lanes()) {
      const auto add = [&](int32_t end) {
        if (end <= lane->end_of(options.budget)) lengths.insert(end - lane->counted_from);
      };
      add(lane->length);
      if (!options.unfinished) continue;
      for (const SettledAnswer& settled : lane->settled) add(settled.length);
    }
  }
  const std::vector<int32_t> all(lengths.begin(), lengths.end());
  if (all.size() <= most) return all;
  std::vector<int32_t> some;
  for (size_t i = 0; i < most; ++i) some.push_back(all[i * (all.size() - 1) / (most - 1)]);
  return some;
}

std::vector<CurveAt> curve_of(const PairedArm& arm, const ComparisonOptions& options) {
  std::vector<CurveAt> curve;
  for (const int32_t budget : budgets_of(arm, options)) {
    const Columns columns = columns_of(arm, budget, options.unfinished);
    curve.push_back(
        {.price = {.budget = budget, .total_tokens = mean(columns.tokens), .seconds = mean(columns.seconds)},
         .majority = mean(columns.majority)});
  }
  return curve;
}

constexpr double rounding = 1e-9;

std::optional<Price> price_of(const std::vector<CurveAt>& curve, double accuracy) {
  const auto found =
      std::ranges::find_if(curve, [&](const CurveAt& at) { return at.majority >= accuracy - rounding; });
  return found == curve.end() ? std::nullopt : std::optional(found->price);
}

double best_of(const std::vector<CurveAt>& curve) {
  return std::ranges::max(curve, {}, &CurveAt::majority).majority;
}

std::vector<double> usual_accuracies(double first_best, double second_best) {
  const double both = std::min(first_best, second_best);
  std::set<double> accuracies;
  for (int tenth = 1; tenth <= 10; ++tenth) {
    if (tenth / 10.0 <= std::max(first_best, second_best) + rounding) accuracies.insert(tenth / 10.0);
  }
  if (both > 0) accuracies.insert(both);
  return {accuracies.begin(), accuracies.end()};
}

}  // namespace

McNemar mcnemar(std::span<const double> first, std::span<const double> second, const LanesOf& lanes) {
  constexpr int64_t most_steps = 400'000'000;
  McNemar test;
  // Shares of so many lanes are whole numbers of this many parts.
  const int64_t parts = std::lcm(int64_t{lanes.first}, int64_t{lanes.second});
  std::vector<int64_t> numbers;
  int64_t sum = 0;
  int64_t total = 0;
  double squares = 0;
  for (size_t i = 0; i < first.size(); ++i) {
    const int64_t difference = std::llround((second[i] - first[i]) * static_cast<double>(parts));
    if (difference == 0) continue;
    ++(difference > 0 ? test.second_alone : test.first_alone);
    numbers.push_back(std::abs(difference));
    sum += difference;
    total += std::abs(difference);
    squares += static_cast<double>(difference) * static_cast<double>(difference);
  }
  if (numbers.empty()) return test;
  test.exact = total * std::ssize(numbers) <= most_steps;
  const double chi_squared = static_cast<double>(sum) * static_cast<double>(sum) / squares;
  test.p = test.exact ? share_of_signs(numbers, sum) : std::erfc(std::sqrt(chi_squared / 2));
  return test;
}

Comparison compare_arms(const PairedArms& arms, const ComparisonOptions& options) {
  const PairedArm& first_arm = arms.arms[0];
  const PairedArm& second_arm = arms.arms[1];
  const Bootstrap bootstrap(arms.questions.size(), {.resamples = options.resamples, .seed = options.seed});
  const Columns first = columns_of(first_arm, options.budget, options.unfinished);
  const Columns second = columns_of(second_arm, options.budget, options.unfinished);
  Comparison result{.questions = std::ssize(arms.questions),
                    .budget = options.budget,
                    .lanes = {.first = static_cast<int32_t>(first_arm.questions[0].size()),
                              .second = static_cast<int32_t>(second_arm.questions[0].size())},
                    .majority = contrast(bootstrap, first.majority, second.majority),
                    .pass = contrast(bootstrap, first.pass, second.pass),
                    .oracle = contrast(bootstrap, first.oracle, second.oracle),
                    .first_curve = curve_of(first_arm, options),
                    .second_curve = curve_of(second_arm, options)};
  result.mcnemar = mcnemar(first.pass, second.pass, result.lanes);
  const std::vector<double> accuracies =
      options.accuracies.empty() ? usual_accuracies(best_of(result.first_curve), best_of(result.second_curve))
                                 : options.accuracies;
  for (const double accuracy : accuracies) {
    result.prices.push_back({.accuracy = accuracy,
                             .first = price_of(result.first_curve, accuracy),
                             .second = price_of(result.second_curve, accuracy)});
  }
  return result;
}

}  // namespace lanerope::eval
