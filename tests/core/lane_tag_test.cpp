// SPDX-License-Identifier: Apache-2.0
#include "core/lane_tag.h"

#include <gtest/gtest.h>

namespace lanerope::core {
namespace {

TEST(LaneTag, HasTheNumberOfTheLaneInEveryPlace) {
  EXPECT_EQ(render_tag("<lane{k}>", 0), "<lane1>");
  EXPECT_EQ(render_tag("{k}: I am lane {k}, ", 11), "12: I am lane 12, ");
  EXPECT_EQ(render_tag("", 3), "");
  EXPECT_EQ(render_tag("no number", 3), "no number");
}

}  // namespace
}  // namespace lanerope::core
