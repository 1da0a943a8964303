// SPDX-License-Identifier: Apache-2.0
#include "eval/comparison.h"

#include <algorithm>
#include <set>

#include "eval/outcome.h"

namespace lanerope::eval {

namespace {

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

std::vector<Tally> tallies_of(std::span<const Outcome> outcomes) {
  std::vector<Tally> tallies;
  for (const Outcome& outcome : outcomes) tallies.push_back(outcome.answers);
  return tallies;
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
  std::vector<int32_t> all(lengths.begin(), lengths.end());
  if (all.size() <= most) return all;
  std::vector<int32_t> some;
  some.reserve(most);
  for (size_t i = 0; i < most; ++i) some.push_back(all[i * (all.size() - 1) / (most - 1)]);
  return some;
}

std::vector<CurveAt> curve_of(const PairedArm& arm, const ComparisonOptions& options) {
  std::vector<CurveAt> curve;
  for (const int32_t budget : budgets_of(arm, options)) {
    const std::vector<Outcome> outcomes = outcomes_of(arm, budget, options.unfinished);
    curve.push_back({.price = {.budget = budget,
                               .total_tokens = mean(column_of(outcomes, &Outcome::tokens)),
                               .seconds = mean(column_of(outcomes, &Outcome::seconds))},
                     .majority = mean(column_of(outcomes, &Outcome::majority))});
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

Comparison compare_arms(const PairedArms& arms, const ComparisonOptions& options) {
  const PairedArm& first_arm = arms.arms[0];
  const PairedArm& second_arm = arms.arms[1];
  const Bootstrap bootstrap(arms.questions.size(), {.resamples = options.resamples, .seed = options.seed});
  const std::vector<Outcome> first = outcomes_of(first_arm, options.budget, options.unfinished);
  const std::vector<Outcome> second = outcomes_of(second_arm, options.budget, options.unfinished);
  const auto contrast_in = [&](double Outcome::* member) {
    return contrast(bootstrap, column_of(first, member), column_of(second, member));
  };
  Comparison result{.questions = std::ssize(arms.questions),
                    .budget = options.budget,
                    .lanes = {.first = first_arm.lanes_total, .second = second_arm.lanes_total},
                    .majority = contrast_in(&Outcome::majority),
                    .pass = contrast_in(&Outcome::pass),
                    .oracle = contrast_in(&Outcome::oracle),
                    .mcnemar = mcnemar(tallies_of(first), tallies_of(second)),
                    .first_curve = curve_of(first_arm, options),
                    .second_curve = curve_of(second_arm, options)};
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
