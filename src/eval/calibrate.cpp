// SPDX-License-Identifier: Apache-2.0
#include "eval/calibrate.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <utility>

namespace lanerope {

template <>
std::span<const Named<eval::CalibrationMethod>> names() {
  static constexpr Named<eval::CalibrationMethod> all[] = {
      {eval::CalibrationMethod::logistic, "logistic"},
      {eval::CalibrationMethod::isotonic, "isotonic"},
  };
  return all;
}

}  // namespace lanerope

namespace lanerope::eval {

namespace {

struct Line {
  double slope = 0;
  double level = 0;
};

double logistic(double x) {
  return 1 / (1 + std::exp(-x));
}

// Newton's method on the log-likelihood of right = logistic(slope * confidence + level). The targets are
// Platt's, which hold the curve away from 0 and 1 as one more claim of each kind would; so does a little of a
// ridge from slopes without end.
Line fit_logistic(std::span<const Claim> claims) {
  double right = 0;
  for (const Claim& claim : claims) right += claim.right;
  const double wrong = static_cast<double>(claims.size()) - right;
  const double if_right = (right + 1) / (right + 2);
  const double if_wrong = 1 / (wrong + 2);
  constexpr double ridge = 1e-3;
  Line line{.level = std::log((right + 1) / (wrong + 1))};
  for (int round = 0; round < 100; ++round) {
    double slope_gradient = -ridge * line.slope;
    double level_gradient = 0;
    double slope_slope = ridge;
    double slope_level = 0;
    double level_level = 1e-9;
    for (const Claim& claim : claims) {
      const double p = logistic(line.slope * claim.confidence + line.level);
      const double rest = claim.right * if_right + (1 - claim.right) * if_wrong - p;
      const double weight = p * (1 - p);
      slope_gradient += rest * claim.confidence;
      level_gradient += rest;
      slope_slope += weight * claim.confidence * claim.confidence;
      slope_level += weight * claim.confidence;
      level_level += weight;
    }
    const double determinant = slope_slope * level_level - slope_level * slope_level;
    const double slope_step = (slope_gradient * level_level - level_gradient * slope_level) / determinant;
    const double level_step = (level_gradient * slope_slope - slope_gradient * slope_level) / determinant;
    // A step that is too long overshoots where the curve is steep.
    const double longest = std::max(std::abs(slope_step), std::abs(level_step));
    const double share = longest > 5 ? 5 / longest : 1;
    line.slope += share * slope_step;
    line.level += share * level_step;
    if (longest < 1e-10) break;
  }
  return line;
}

std::vector<CurvePoint> logistic_curve(std::span<const Claim> claims) {
  const Line line = fit_logistic(claims);
  if (line.slope <= 0) {
    // More confident claims are not right more often: every claim says the share that is right.
    double right = 0;
    for (const Claim& claim : claims) right += claim.right;
    return {{.claimed = 0.5, .calibrated = right / static_cast<double>(claims.size())}};
  }
  constexpr int pieces = 50;
  std::vector<CurvePoint> points;
  for (int i = 0; i <= pieces; ++i) {
    const double x = static_cast<double>(i) / pieces;
    points.push_back({.claimed = x, .calibrated = logistic(line.slope * x + line.level)});
  }
  return points;
}

// Claims of a stretch of confidences, as one step.
struct Block {
  double lowest = 0;
  double highest = 0;
  double right = 0;
  double count = 0;
  double share() const { return right / count; }
};

std::vector<CurvePoint> isotonic_curve(std::span<const Claim> claims) {
  std::vector<Claim> sorted(claims.begin(), claims.end());
  std::ranges::sort(sorted, {}, &Claim::confidence);
  std::vector<Block> blocks;
  for (const Claim& claim : sorted) {
    if (!blocks.empty() && blocks.back().highest == claim.confidence &&
        blocks.back().lowest == claim.confidence) {
      blocks.back().right += claim.right;
      ++blocks.back().count;
    } else {
      blocks.push_back(
          {.lowest = claim.confidence, .highest = claim.confidence, .right = claim.right, .count = 1});
    }
  }
  std::vector<Block> steps;
  for (const Block& block : blocks) {
    steps.push_back(block);
    while (steps.size() > 1 && steps[steps.size() - 2].share() >= steps.back().share()) {
      const Block last = steps.back();
      steps.pop_back();
      steps.back().highest = last.highest;
      steps.back().right += last.right;
      steps.back().count += last.count;
    }
  }
  std::vector<CurvePoint> points;
  for (const Block& step : steps) {
    points.push_back({.claimed = step.lowest, .calibrated = step.share()});
    if (step.highest > step.lowest) points.push_back({.claimed = step.highest, .calibrated = step.share()});
  }
  return points;
}

double brier(std::span<const Claim> claims) {
  double sum = 0;
  for (const Claim& claim : claims)
    sum += (claim.confidence - claim.right) * (claim.confidence - claim.right);
  return sum / static_cast<double>(claims.size());
}

}  // namespace

std::vector<CurvePoint> fit_curve(std::span<const Claim> claims, CalibrationMethod method) {
  return method == CalibrationMethod::logistic ? logistic_curve(claims) : isotonic_curve(claims);
}

CalibrationCheck check_calibration(std::span<const Claim> claims, const CheckOptions& options) {
  std::vector<size_t> order(claims.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::mt19937_64 draw(options.seed);
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[draw() % i]);
  const size_t folds = std::min(static_cast<size_t>(std::max(options.folds, 2)), claims.size());
  std::vector<Claim> after(claims.begin(), claims.end());
  for (size_t fold = 0; fold < folds; ++fold) {
    std::vector<Claim> others;
    for (size_t i = 0; i < order.size(); ++i) {
      if (i % folds != fold) others.push_back(claims[order[i]]);
    }
    const CalibrationCurve curve{.points = fit_curve(others, options.method)};
    for (size_t i = fold; i < order.size(); i += folds)
      after[order[i]].confidence = calibrated(curve, claims[order[i]].confidence);
  }
  return {.before = reliability_of(claims),
          .after = reliability_of(after),
          .brier_before = brier(claims),
          .brier_after = brier(after)};
}

}  // namespace lanerope::eval
