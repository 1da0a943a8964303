// SPDX-License-Identifier: Apache-2.0
#include "eval/step_times.h"

#include <gtest/gtest.h>

#include "eval/metrics.h"

namespace lanerope::eval {
namespace {

TEST(StepTimes, AreMediansByLiveLanes) {
  StepTimes times;
  for (const double seconds : {0.001, 0.002, 0.100}) times.add(4, seconds);
  times.add(5, 0.010);
  times.add(8, 0.020);
  times.add(0, 9);  // nothing ran
  const std::vector<StepTime> expected = {{.lanes = 4, .steps = 3, .milliseconds = 2},
                                          {.lanes = 8, .steps = 2, .milliseconds = 15}};
  EXPECT_EQ(times.medians(), expected);
}

TEST(StepTimes, OfSeveralRunsAreOne) {
  const std::vector<ArmTiming> runs = {
      {.arm = "x", .seconds = 1, .steps = 10, .at = {{.lanes = 4, .steps = 1, .milliseconds = 2}}},
      {.arm = "x",
       .seconds = 2,
       .steps = 20,
       .at = {{.lanes = 4, .steps = 3, .milliseconds = 4}, {.lanes = 8, .steps = 5, .milliseconds = 6}}}};
  const ArmTiming whole = merged(runs);
  EXPECT_EQ(whole.seconds, 3);
  EXPECT_EQ(whole.steps, 30);
  ASSERT_EQ(whole.at.size(), 2U);
  EXPECT_DOUBLE_EQ(whole.at[0].milliseconds, 3.5);
  EXPECT_EQ(whole.at[0].steps, 4);
  EXPECT_EQ(usual_step(whole)->lanes, 8);
  EXPECT_FALSE(usual_step(merged({})));
  EXPECT_EQ(parse_timing(to_line(whole)), whole);
}

TEST(StepTimes, AreComparedWhereAsManyLanesAreLive) {
  const ArmTiming base{
      .at = {{.lanes = 4, .steps = 10, .milliseconds = 1}, {.lanes = 8, .steps = 30, .milliseconds = 2}}};
  const ArmTiming arm{.at = {{.lanes = 4, .steps = 90, .milliseconds = 1.5},
                             {.lanes = 8, .steps = 30, .milliseconds = 2.2},
                             {.lanes = 12, .steps = 99, .milliseconds = 9}}};
  EXPECT_DOUBLE_EQ(*step_ratio(arm, base), (1.5 * 10 + 1.1 * 30) / 40);
  EXPECT_DOUBLE_EQ(*step_ratio(base, base), 1);
  EXPECT_FALSE(step_ratio({.at = {{.lanes = 16, .steps = 9, .milliseconds = 1}}}, base));
  EXPECT_FALSE(step_ratio({.at = {{.lanes = 4, .steps = 2, .milliseconds = 1}}}, base)) << "too few steps";
}

TEST(StepTimes, AreComparedWithTheIndependentArm) {
  std::vector<ArmScore> scores = {{.arm = "mine"}, {.arm = "independent"}};
  const std::vector<ArmTiming> timings = {
      {.arm = "mine", .at = {{.lanes = 4, .steps = 9, .milliseconds = 3}}},
      {.arm = "independent", .at = {{.lanes = 4, .steps = 9, .milliseconds = 2}}}};
  add_timing(scores, timings);
  EXPECT_DOUBLE_EQ(*scores[0].step_ratio, 1.5);
  EXPECT_DOUBLE_EQ(*scores[1].step_ratio, 1);
}

}  // namespace
}  // namespace lanerope::eval
