// SPDX-License-Identifier: Apache-2.0
#include "core/lane_tag.h"

#include <gtest/gtest.h>

namespace lanerope::core {
namespace {

TEST(LaneTag, HoldsTheNumberOfTheLane) {
  EXPECT_EQ(render_tag("<lane{k}>", 1), "<lane1>");
  EXPECT_EQ(render_tag("plain {x}", 4), "plain {x}");
  EXPECT_EQ(render_tag("", 4), "");
}

TEST(LaneTag, HoldsItAtEveryPlace) {
  EXPECT_EQ(render_tag("{k} of {k}:", 12), "12 of 12:");
  EXPECT_EQ(render_tag("{k}{k}", 3), "33");
}

}  // namespace
}  // namespace lanerope::core
