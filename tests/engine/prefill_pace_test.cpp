// SPDX-License-Identifier: Apache-2.0
#include "engine/prefill_pace.h"

#include <gtest/gtest.h>

namespace lanerope::engine {
namespace {

TEST(PrefillPace, GivesPromptsTheRestOfTheBatchWhereNothingIsBound) {
  const PrefillPace pace(0, 100);
  EXPECT_EQ(pace.prompt_rows(0), 100);
  EXPECT_EQ(pace.prompt_rows(30), 70);
  EXPECT_EQ(pace.prompt_rows(120), 0);
}

TEST(PrefillPace, GivesAPromptEverythingWhileNoLaneWrites) {
  PrefillPace pace(0.05, 512);
  pace.took({.lane_rows = 4, .prompt_rows = 64, .seconds = 10});
  EXPECT_EQ(pace.prompt_rows(0), 512);
}

// A machine on which a lane's row takes 1 ms and a prompt's 2 ms: beside eight lanes 21 rows fit into 50 ms.
TEST(PrefillPace, ComesToStepsThatTakeAsLongAsTheyMay) {
  PrefillPace pace(0.05, 512);
  for (int step = 0; step < 30; ++step) {
    const int32_t rows = pace.prompt_rows(8);
    pace.took({.lane_rows = 8, .prompt_rows = rows, .seconds = 0.001 * 8 + 0.002 * rows});
  }
  EXPECT_NEAR(pace.prompt_rows(8), 21, 1);
  // On a faster one more do.
  for (int step = 0; step < 30; ++step) {
    const int32_t rows = pace.prompt_rows(8);
    pace.took({.lane_rows = 8, .prompt_rows = rows, .seconds = 0.0001 * 8 + 0.0002 * rows});
  }
  EXPECT_NEAR(pace.prompt_rows(8), 246, 3);
}

TEST(PrefillPace, NeverStops) {
  PrefillPace pace(0.001, 512);
  for (int step = 0; step < 30; ++step)
    pace.took({.lane_rows = 8, .prompt_rows = pace.prompt_rows(8), .seconds = 1});
  EXPECT_EQ(pace.prompt_rows(8), 16);
}

// The end of a prompt, which says nothing about how many more rows there might have been.
TEST(PrefillPace, LearnsFromFullStepsOnly) {
  PrefillPace pace(0.05, 512);
  const int32_t before = pace.prompt_rows(8);
  for (int step = 0; step < 30; ++step) pace.took({.lane_rows = 8, .prompt_rows = 1, .seconds = 0.001});
  EXPECT_EQ(pace.prompt_rows(8), before);
}

}  // namespace
}  // namespace lanerope::engine
