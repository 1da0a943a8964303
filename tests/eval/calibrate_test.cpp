// SPDX-License-Identifier: Apache-2.0
#include "eval/calibrate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace lanerope::eval {
namespace {

TEST(Isotonic, PoolsWhatGoesDown) {
  // By hand: 0.1 has 1 of 2 right and 0.2 none, which pools to 1/3; 0.6 has 1 of 2, 0.9 is right.
  const std::vector<Claim> claims = {{0.9, 1}, {0.1, 1}, {0.1, 0}, {0.2, 0}, {0.6, 1}, {0.6, 0}};
  const std::vector<CurvePoint> points = fit_curve(claims, CalibrationMethod::isotonic);
  ASSERT_EQ(points.size(), 4U);
  EXPECT_DOUBLE_EQ(points[0].claimed, 0.1);
  EXPECT_DOUBLE_EQ(points[0].calibrated, 1.0 / 3);
  EXPECT_DOUBLE_EQ(points[1].claimed, 0.2);
  EXPECT_DOUBLE_EQ(points[1].calibrated, 1.0 / 3);
  EXPECT_DOUBLE_EQ(points[2].claimed, 0.6);
  EXPECT_DOUBLE_EQ(points[2].calibrated, 0.5);
  EXPECT_DOUBLE_EQ(points[3].calibrated, 1);
}

// Of all ascending sequences over the confidences, on a grid, none is closer to what was right.
TEST(Isotonic, IsTheAscendingCurveOfLeastSquares) {
  const std::vector<Claim> claims = {{0.1, 0}, {0.2, 1}, {0.3, 0}, {0.4, 0}, {0.5, 1}};
  const CalibrationCurve curve{.points = fit_curve(claims, CalibrationMethod::isotonic)};
  const auto squares = [&](const std::vector<double>& values) {
    double sum = 0;
    for (size_t i = 0; i < claims.size(); ++i) sum += std::pow(values[i] - claims[i].right, 2);
    return sum;
  };
  std::vector<double> fitted;
  for (const Claim& claim : claims) fitted.push_back(calibrated(curve, claim.confidence));
  constexpr int grid = 12;
  double best = 1e9;
  for (int a = 0; a <= grid; ++a)
    for (int b = a; b <= grid; ++b)
      for (int c = b; c <= grid; ++c)
        for (int d = c; d <= grid; ++d)
          for (int e = d; e <= grid; ++e)
            best = std::min(best, squares({a / 12.0, b / 12.0, c / 12.0, d / 12.0, e / 12.0}));
  EXPECT_LE(squares(fitted), best + 1e-12);
}

// Claims whose truth is drawn from a curve that we know.
std::vector<Claim> drawn(int count, double slope, double level) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> uniform(0, 1);
  std::vector<Claim> claims;
  for (int i = 0; i < count; ++i) {
    const double x = uniform(random);
    const double p = 1 / (1 + std::exp(-(slope * x + level)));
    claims.push_back({.confidence = x, .right = uniform(random) < p ? 1.0 : 0.0});
  }
  return claims;
}

TEST(Logistic, FindsTheCurveThatTheTruthWasDrawnFrom) {
  const CalibrationCurve curve{.points = fit_curve(drawn(20000, 6, -4), CalibrationMethod::logistic)};
  for (const double x : {0.0, 0.2, 0.5, 0.8, 1.0})
    EXPECT_NEAR(calibrated(curve, x), 1 / (1 + std::exp(-(6 * x - 4))), 0.02) << x;
}

TEST(Logistic, StaysBetweenNoneAndAllAndNeverGoesDown) {
  const auto curve_of = [](const std::vector<Claim>& claims) {
    return CalibrationCurve{.points = fit_curve(claims, CalibrationMethod::logistic)};
  };
  // Confidence tells right from wrong without fail.
  const std::vector<Claim> parted = {{0.1, 0}, {0.2, 0}, {0.3, 0}, {0.7, 1}, {0.8, 1}, {0.9, 1}};
  EXPECT_GT(calibrated(curve_of(parted), 0.0), 0);
  EXPECT_LT(calibrated(curve_of(parted), 1.0), 1);
  EXPECT_LT(calibrated(curve_of(parted), 0.2), calibrated(curve_of(parted), 0.8));
  const std::vector<Claim> upside_down = {{0.1, 1}, {0.2, 1}, {0.8, 0}, {0.9, 0}, {0.9, 1}};
  EXPECT_DOUBLE_EQ(calibrated(curve_of(upside_down), 0.1), 0.6);
  EXPECT_DOUBLE_EQ(calibrated(curve_of(upside_down), 0.9), 0.6);
  const std::vector<Claim> all_right(30, {0.75, 1});
  EXPECT_GT(calibrated(curve_of(all_right), 0.75), 0.9);
}

TEST(CalibrationCheck, LooksAtClaimsThatTheCurveWasNotFittedOn) {
  // Every claim says 0.9, and eleven of twenty are right.
  std::vector<Claim> claims;
  for (int i = 0; i < 2000; ++i) claims.push_back({.confidence = 0.9, .right = i % 20 < 11 ? 1.0 : 0.0});
  for (const CalibrationMethod method : {CalibrationMethod::logistic, CalibrationMethod::isotonic}) {
    const CalibrationCheck check = check_calibration(claims, {.method = method});
    EXPECT_NEAR(check.before.error, 0.35, 1e-9);
    EXPECT_LT(check.after.error, 0.01);
    EXPECT_NEAR(check.brier_before, 0.55 * 0.01 + 0.45 * 0.81, 1e-9);
    EXPECT_NEAR(check.brier_after, 0.55 * 0.45, 0.005);
    ASSERT_EQ(check.after.bins.size(), 1U);
    EXPECT_EQ(check.after.bins[0].count, 2000);
  }
  // Two claims, each judged by the other: what is fitted on a claim would be right about it.
  const CalibrationCheck two =
      check_calibration(std::vector<Claim>{{0.2, 1}, {0.8, 0}}, {.method = CalibrationMethod::isotonic});
  EXPECT_DOUBLE_EQ(two.brier_after, 1);
}

}  // namespace
}  // namespace lanerope::eval
