// SPDX-License-Identifier: Apache-2.0
#include "core/lane_rotation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace lanerope::core {
namespace {

constexpr int pairs = 64;

std::vector<double> plain_theta(double base) {
  std::vector<double> theta;
  for (int t = 0; t < pairs; ++t) theta.push_back(std::pow(base, -t / static_cast<double>(pairs)));
  return theta;
}

class InitialOmega : public testing::TestWithParam<double> {
 protected:
  std::vector<double> theta = plain_theta(GetParam());
};

TEST_P(InitialOmega, OfRopeIsZero) {
  const auto omega =
      initial_omega(theta, {.init = OmegaInit::rope, .stride = 100, .lanes = 4, .trained_context = 2048});
  EXPECT_EQ(omega, std::vector<double>(pairs, 0.0));
}

TEST_P(InitialOmega, OfGtIsStrideTimesTheta) {
  for (const double stride : {1.0, 256.0, 32768.0}) {
    const auto omega =
        initial_omega(theta, {.init = OmegaInit::gt, .stride = stride, .lanes = 8, .trained_context = 4096});
    for (int t = 0; t < pairs; ++t) EXPECT_DOUBLE_EQ(omega[t], stride * theta[t]);
  }
}

// omega_t = K theta_t s^(-2t/(d-2)), s = max(1, K (N-1) / L), d = 2 pairs.
TEST_P(InitialOmega, OfNtkChangesTheBase) {
  const double stride = 4096;
  const int lanes = 5;
  const int context = 2048;
  const double s = 8;
  const auto omega = initial_omega(
      theta, {.init = OmegaInit::ntk, .stride = stride, .lanes = lanes, .trained_context = context});
  const double d = 2.0 * pairs;
  for (int t = 0; t < pairs; ++t) {
    EXPECT_NEAR(omega[t] / (stride * theta[t] * std::exp(-2.0 * t / (d - 2) * std::log(s))), 1, 1e-12);
  }
  EXPECT_DOUBLE_EQ(omega.front(), stride * theta.front())
      << "the fastest pair keeps its distance of K tokens";
  EXPECT_NEAR(omega.back(), stride * theta.back() / s, 1e-12 * omega.back()) << "the slowest gets K / s";
  EXPECT_LE(omega.back() * (lanes - 1), theta.back() * context * (1 + 1e-12))
      << "no two lanes are further apart for it than two tokens of the trained context";
}

TEST_P(InitialOmega, OfNtkIsGtWhereAllLanesFitIntoTheContext) {
  for (const int lanes : {1, 2, 8}) {
    const OmegaParameters ntk{.init = OmegaInit::ntk, .stride = 256, .lanes = lanes, .trained_context = 2048};
    OmegaParameters gt = ntk;
    gt.init = OmegaInit::gt;
    EXPECT_EQ(initial_omega(theta, ntk), initial_omega(theta, gt));
  }
}

TEST_P(InitialOmega, OfNtkByPartsKeepsFastPairsAndStopsSlowOnes) {
  const double stride = 512;
  const int context = 4096;
  const auto omega = initial_omega(
      theta, {.init = OmegaInit::ntk_by_parts, .stride = stride, .lanes = 4, .trained_context = context});
  int fast = 0;
  int slow = 0;
  for (int t = 0; t < pairs; ++t) {
    const double offsets = context * theta[t] / (2 * std::numbers::pi);
    if (offsets >= 32) {
      ++fast;
      EXPECT_DOUBLE_EQ(omega[t], stride * theta[t]) << t;
    } else if (offsets <= 1) {
      ++slow;
      EXPECT_EQ(omega[t], 0) << t;
    } else {
      EXPECT_NEAR(omega[t], stride * theta[t] * (offsets - 1) / 31, 1e-12 * stride) << t;
    }
  }
  EXPECT_GT(fast, 0);
  EXPECT_GT(slow, 0);
}

INSTANTIATE_TEST_SUITE_P(Bases, InitialOmega, testing::Values(1e4, 5e5, 1e6));

TEST(InitialOmegaOfOnePair, HasNoSlowestPair) {
  const std::vector<double> theta = {1.0};
  const auto omega =
      initial_omega(theta, {.init = OmegaInit::ntk, .stride = 64, .lanes = 100, .trained_context = 8});
  EXPECT_EQ(omega, std::vector<double>{64.0});
}

TEST(ClassFrequencies, GiveEachLayerItsOmega) {
  const ClassFrequencies shared{.theta = {1, 0.1}, .omega = {3, 4}};
  EXPECT_EQ(shared.omega_of_layer(0)[1], 4);
  EXPECT_EQ(shared.omega_of_layer(7)[0], 3);
  const ClassFrequencies own{.theta = {1, 0.1}, .omega = {3, 4, 5, 6}};
  EXPECT_EQ(own.omega_of_layer(0)[0], 3);
  EXPECT_EQ(own.omega_of_layer(1)[0], 5);
  EXPECT_EQ(own.omega_of_layer(1)[1], 6);
}

}  // namespace
}  // namespace lanerope::core
