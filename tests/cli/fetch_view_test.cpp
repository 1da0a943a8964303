// SPDX-License-Identifier: Apache-2.0
#include "cli/fetch_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lanerope::cli {
namespace {

using std::chrono::milliseconds;

const hub::Progress half = {.name = "model-Q4_K_M.gguf", .done = 400'000'000, .total = 800'000'000};

TEST(ProgressLine, HoldsShareRateAndTimeLeft) {
  EXPECT_EQ(
      progress_line(half, 12.5e6, 100),
      "model-Q4_K_M.gguf  [#################------------------]   50%  400 of 800 MB  12.5 MB/s  0:32 left");
  hub::Progress begun = half;
  begun.done = 1'000'000;
  EXPECT_THAT(progress_line(begun, 1e6 / 9, 120),
              testing::EndsWith("  0%  1 of 800 MB  0.1 MB/s  1:59:51 left"));
}

TEST(ProgressLine, WithoutARateOrASizeSaysWhatIsKnown) {
  EXPECT_EQ(progress_line({.name = "m.gguf", .done = 2'500'000}, 0, 60), "m.gguf  2.5 MB");
  EXPECT_THAT(progress_line(half, 0, 100), testing::EndsWith("50%  400 of 800 MB"));
}

TEST(ProgressLine, FitsTheTerminal) {
  hub::Progress long_name = half;
  long_name.name = std::string(200, 'n');
  for (int width = 20; width < 200; ++width)
    EXPECT_LE(progress_line(long_name, 12.5e6, width).size(), width - 1 + 4U);  // an ellipsis has three bytes
}

TEST(Rate, IsThatOfTheLastSeconds) {
  Rate rate;
  const Rate::Clock::time_point begin = {};
  EXPECT_EQ(rate.bytes_per_second(), 0);
  for (int i = 0; i <= 100; ++i) rate.take(begin + milliseconds(100) * i, 1000 * i);
  for (int i = 1; i <= 100; ++i) rate.take(begin + milliseconds(10'000 + 100 * i), 100'000 + 3000 * i);
  EXPECT_NEAR(rate.bytes_per_second(), 30'000, 1500);
}

TEST(Rate, BeginsAnewWithTheFile) {
  Rate rate;
  rate.take({}, 1'000'000);
  rate.take(Rate::Clock::time_point(milliseconds(1000)), 0);
  rate.take(Rate::Clock::time_point(milliseconds(2000)), 5000);
  EXPECT_DOUBLE_EQ(rate.bytes_per_second(), 5000);
}

}  // namespace
}  // namespace lanerope::cli
