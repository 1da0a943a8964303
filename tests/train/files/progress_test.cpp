// SPDX-License-Identifier: Apache-2.0
#include "train/files/progress.h"

#include <gtest/gtest.h>

#include <limits>

namespace lanerope::train {
namespace {

TEST(Progress, SaysAllInOneLine) {
  EXPECT_EQ(progress_line(
                {.step = 1250, .steps = 10000, .seconds = 500, .loss = 1.20341, .tokens_per_second = 18345}),
            "step  1,250/10,000   12.5 %  loss 1.2034  18.3 k tokens/s  58 min 20 s left");
}

TEST(Progress, TheTimeLeftFollowsTheStepsOfThisProcess) {
  EXPECT_EQ(progress_line({.step = 900, .steps = 1000, .first_step = 890, .seconds = 20, .loss = 1}),
            "step   900/1,000   90.0 %  loss 1.0000  0 tokens/s  3 min 20 s left");
}

TEST(Progress, LeavesOutWhatIsNotKnown) {
  EXPECT_EQ(progress_line({.step = 5, .steps = 10, .first_step = 5, .loss = 2.5, .tokens_per_second = 99960}),
            "step  5/10   50.0 %  loss 2.5000  100 k tokens/s");
  EXPECT_EQ(progress_line({.step = 10, .steps = 10, .seconds = 9, .tokens_per_second = 2.5e6}),
            "step 10/10  100.0 %  loss 0.0000  2.50 M tokens/s");
}

TEST(Progress, EndsWithWhatElseWasMeasured) {
  EXPECT_EQ(progress_line({.step = 1, .steps = 1, .extra = {{"kl", 0.00001}, {"dev accuracy", 0.5}}}),
            "step 1/1  100.0 %  loss 0.0000  0 tokens/s  dev accuracy 0.5  kl 1e-05");
}

TEST(Progress, ADurationHasTwoUnitsAtMost) {
  EXPECT_EQ(duration_text(0), "0 s");
  EXPECT_EQ(duration_text(59.4), "59 s");
  EXPECT_EQ(duration_text(59.6), "1 min 00 s");
  EXPECT_EQ(duration_text(725), "12 min 05 s");
  EXPECT_EQ(duration_text(3600 + 119), "1 h 02 min");
  EXPECT_EQ(duration_text(3 * 86400 + 4 * 3600 + 60), "3 d 04 h");
  EXPECT_EQ(duration_text(86400 - 1), "1 d 00 h");
  EXPECT_EQ(duration_text(-1), "?");
  EXPECT_EQ(duration_text(std::numeric_limits<double>::quiet_NaN()), "?");
}

}  // namespace
}  // namespace lanerope::train
