// SPDX-License-Identifier: Apache-2.0
#include "core/visibility.h"

#include <gtest/gtest.h>

namespace lanerope::core {
namespace {

TEST(Visibility, SaysHowFarALaneSeesAnother) {
  EXPECT_EQ(last_seen_step(Visibility::inclusive, 7, true), 7);
  EXPECT_EQ(last_seen_step(Visibility::inclusive, 7, false), 7);
  EXPECT_EQ(last_seen_step(Visibility::strict, 7, true), 6);
  EXPECT_EQ(last_seen_step(Visibility::strict, 7, false), 6);
}

TEST(Visibility, InterleavedIsTheOrderOfTokensWrittenStepByStep) {
  EXPECT_EQ(last_seen_step(Visibility::interleaved, 7, true), 7);
  EXPECT_EQ(last_seen_step(Visibility::interleaved, 7, false), 6);
}

}  // namespace
}  // namespace lanerope::core
