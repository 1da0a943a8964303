// SPDX-License-Identifier: Apache-2.0
#include "core/resolve_coupling.h"

#include <gtest/gtest.h>

#include "lanerope/errors.h"

namespace lanerope::core {
namespace {

CouplingFacts facts() {
  return {.classes = {{.theta = {1.0, 0.1}, .longest_distance = 1000}},
          .n_layer = 2,
          .lanes = 4,
          .default_stride = 64};
}

TEST(ResolveCoupling, TakesTheStrideThatWasAskedForOrTheBudget) {
  EXPECT_EQ(resolve_coupling({}, facts()).stride, 64);
  EXPECT_EQ(resolve_coupling({.stride = 9}, facts()).stride, 9);
}

TEST(ResolveCoupling, MakesOmegaOfTheStrideInForce) {
  const ResolvedCoupling resolved = resolve_coupling({.init = OmegaInit::gt}, facts());
  ASSERT_EQ(resolved.frequencies->classes.size(), 1U);
  EXPECT_EQ(resolved.frequencies->classes.front().omega, (std::vector<double>{64 * 1.0, 64 * 0.1}));
}

TEST(ResolveCoupling, MakesNtkOfTheLanesThatThereAre) {
  CouplingFacts many = facts();
  many.default_stride = 512;
  const auto four = resolve_coupling({.init = OmegaInit::ntk}, many).frequencies;
  many.lanes = 8;
  EXPECT_GT(four->classes.front().omega[1],
            resolve_coupling({.init = OmegaInit::ntk}, many).frequencies->classes.front().omega[1])
      << "more lanes are spread over the same context";
}

TEST(ResolveCoupling, SharesWhatIsEqualWhileSomebodyHoldsIt) {
  const auto first = resolve_coupling({.init = OmegaInit::gt}, facts()).frequencies;
  EXPECT_EQ(first, resolve_coupling({.init = OmegaInit::gt}, facts()).frequencies);
  EXPECT_EQ(first, resolve_coupling({.init = OmegaInit::gt, .stride = 64}, facts()).frequencies)
      << "whatever it was made of";
  EXPECT_NE(first, resolve_coupling({.init = OmegaInit::gt, .stride = 65}, facts()).frequencies);
}

TEST(ResolveCoupling, ShrinksOmegaWhereLanesAreInterpolated) {
  Coupling coupling{.init = OmegaInit::gt, .far_lanes = FarLanes::interpolated, .trained_lanes = 3};
  const auto of_first_pair = [&](int32_t lanes) {
    CouplingFacts of = facts();
    of.lanes = lanes;
    return resolve_coupling(coupling, of).frequencies->classes.front().omega[0];
  };
  EXPECT_DOUBLE_EQ(of_first_pair(5), 32) << "the longest distance, 4, is as far as 2 was";
  EXPECT_DOUBLE_EQ(of_first_pair(3), 64);
  EXPECT_DOUBLE_EQ(of_first_pair(2), 64) << "nothing is stretched";
  coupling.far_lanes = FarLanes::clamped;
  EXPECT_DOUBLE_EQ(of_first_pair(5), 64) << "distances change, not omega";
}

TEST(ResolveCoupling, RefusesFarLanesThatMeanNothing) {
  EXPECT_THROW(resolve_coupling({.far_lanes = FarLanes::clamped}, facts()), InvalidRequest)
      << "nothing says what was trained";
  EXPECT_THROW(resolve_coupling({.far_lanes = FarLanes::wrapped, .trained_lanes = 1}, facts()),
               InvalidRequest)
      << "one lane has no distance";
  EXPECT_THROW(
      resolve_coupling({.kind = CouplingKind::hogwild, .far_lanes = FarLanes::clamped, .trained_lanes = 4},
                       facts()),
      InvalidRequest)
      << "no omega";
  EXPECT_THROW(resolve_coupling({.topology = Topology::blocks, .block = 0}, facts()), InvalidRequest);
}

TEST(ResolveCoupling, RefusesAnOmegaOfAnotherModel) {
  const Coupling given{.init = OmegaInit::given, .omega = {1, 2, 3}};
  EXPECT_THROW(resolve_coupling(given, facts()), InvalidRequest);
  EXPECT_NO_THROW(resolve_coupling({.init = OmegaInit::given, .omega = {1, 2}}, facts()));
  EXPECT_NO_THROW(resolve_coupling({.init = OmegaInit::given, .omega = {1, 2, 3, 4}}, facts()))
      << "one a layer";
}

}  // namespace
}  // namespace lanerope::core
