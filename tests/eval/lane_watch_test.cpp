// SPDX-License-Identifier: Apache-2.0
#include "eval/lane_watch.h"

#include <gtest/gtest.h>

namespace lanerope::eval {
namespace {

// One token a piece; a tag, which is no text, stands before them.
std::vector<SettledAnswer> settled_in(const std::vector<std::string>& pieces) {
  LaneWatch watch;
  int32_t step = 0;
  watch.add({.step = step++});
  for (const std::string& piece : pieces) watch.add({.step = step++, .text = piece});
  return watch.settled();
}

TEST(LaneWatch, SeesAnAnswerWithTheTokenThatCompletesIt) {
  const std::vector<SettledAnswer> line = {{.length = 5, .answer = "12"}};
  EXPECT_EQ(settled_in({"#### ", "1", "2", "\n", "more 3", " words"}), line);
  EXPECT_EQ(settled_in({"\\boxed{", "1", "2", "}."}), line);
  EXPECT_TRUE(settled_in({"#### ", "1", "2"}).empty()) << "it may go on";
  EXPECT_TRUE(settled_in({"it is 12\n", "or {13} "}).empty()) << "no mark";
}

TEST(LaneWatch, SeesAChangeOfMindButNoRepetition) {
  const std::vector<SettledAnswer> expected = {{.length = 2, .answer = "7"}, {.length = 5, .answer = "8"}};
  EXPECT_EQ(settled_in({"\\boxed{7}", " so ", "\\boxed{7}", "\\boxed{8}"}), expected);
}

}  // namespace
}  // namespace lanerope::eval
