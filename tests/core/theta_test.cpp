// SPDX-License-Identifier: Apache-2.0
#include "core/theta.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace lanerope::core {
namespace {

constexpr int d = 128;

double plain(double base, int t) {
  return std::exp(-std::log(base) * 2 * t / d);
}

TEST(Theta, WithoutScalingIsAPowerOfTheBase) {
  for (const float base : {1e4F, 5e5F, 1e6F}) {
    const Theta theta = effective_theta({.dimensions = d, .base = base});
    ASSERT_EQ(theta.theta.size(), static_cast<size_t>(d / 2));
    EXPECT_EQ(theta.theta[0], 1.0);
    EXPECT_EQ(theta.magnitude, 1.0F);
    for (int t = 0; t < d / 2; ++t) EXPECT_NEAR(theta.theta[t] / plain(base, t), 1, 1e-12);
  }
}

TEST(Theta, IgnoresTheFactorWhereNoScalingIsAskedFor) {
  EXPECT_EQ(effective_theta({.dimensions = d, .factor = 4}).theta, effective_theta({.dimensions = d}).theta);
}

TEST(Theta, WithLinearScalingIsShrunkByTheFactor) {
  const Theta theta = effective_theta({.dimensions = d, .scaling = RopeScaling::linear, .factor = 4});
  EXPECT_EQ(theta.magnitude, 1.0F);
  for (int t = 0; t < d / 2; ++t) EXPECT_NEAR(theta.theta[t] / (plain(1e4, t) / 4), 1, 1e-12);
}

TEST(Theta, WithFrequencyFactorsIsDividedByThem) {
  std::vector<float> factors(d / 2, 1.0F);
  for (int t = 0; t < d / 2; ++t) factors[t] = 1.0F + static_cast<float>(t) / 8;
  const Theta theta = effective_theta({.dimensions = d, .base = 5e5F, .frequency_factors = factors});
  for (int t = 0; t < d / 2; ++t) EXPECT_NEAR(theta.theta[t] * factors[t] / plain(5e5, t), 1, 1e-12);
}

// YaRN, equations 18 to 22, with the ramp over pairs between the first that rotates less than beta_fast times
// and the last that rotates more than beta_slow times within the original context.
TEST(Theta, WithYarnBlendsInterpolationAndExtrapolation) {
  for (const double base : {1e4, 1e6}) {
    for (const double factor : {1.0, 4.0, 32.0}) {
      const int context = 4096;
      const Theta theta = effective_theta({.dimensions = d,
                                           .base = static_cast<float>(base),
                                           .scaling = RopeScaling::yarn,
                                           .factor = static_cast<float>(factor),
                                           .original_context = context});
      EXPECT_NEAR(theta.magnitude, 0.1 * std::log(factor) + 1, 1e-6);
      // The pair for which context * base^(-2t/d) / 2pi = rotations.
      const auto pair_of = [&](double offsets) {
        return d / 2.0 * std::log(context / (2 * std::numbers::pi * offsets)) / std::log(base);
      };
      const double low = std::floor(pair_of(32));
      const double high = std::ceil(pair_of(1));
      for (int t = 0; t < d / 2; ++t) {
        const double interpolate = std::clamp((t - low) / (high - low), 0.0, 1.0);
        const double expected = plain(base, t) * (interpolate / factor + 1 - interpolate);
        EXPECT_NEAR(theta.theta[t] / expected, 1, 1e-9) << "pair " << t << ", factor " << factor;
      }
    }
  }
}

TEST(Theta, WithYarnAndNoExtrapolationIsLinear) {
  const RopeParameters yarn{.dimensions = d,
                            .scaling = RopeScaling::yarn,
                            .factor = 8,
                            .original_context = 4096,
                            .extrapolation = 0,
                            .attention_factor = 1.25F};
  const Theta theta = effective_theta(yarn);
  EXPECT_EQ(theta.magnitude, 1.25F);
  for (int t = 0; t < d / 2; ++t) EXPECT_NEAR(theta.theta[t] / (plain(1e4, t) / 8), 1, 1e-12);
}

}  // namespace
}  // namespace lanerope::core
