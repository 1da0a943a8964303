// SPDX-License-Identifier: Apache-2.0
#include "lanerope/answers.h"

#include <gtest/gtest.h>

namespace lanerope {
namespace {

TEST(PublicAnswers, ALaneThatWasCutOffHasOnlyAnAnswerThatItMarked) {
  const auto ended = find_answer("so there are 17", true);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->text, "17");
  EXPECT_EQ(ended->from, AnswerFrom::last_expression);
  EXPECT_FALSE(find_answer("so there are 17", false));

  const auto marked = find_answer("\\boxed{3/4} since", false);
  ASSERT_TRUE(marked);
  EXPECT_EQ(marked->text, "3/4");
  EXPECT_EQ(marked->from, AnswerFrom::box);
}

TEST(PublicAnswers, AreComparedByWhatTheyMean) {
  EXPECT_TRUE(same_answer("0.75", "3/4"));
  EXPECT_FALSE(same_answer("0.75", "3/5"));
}

TEST(PublicAnswers, OfAListAreTakenApart) {
  EXPECT_EQ(listed_answers("(5, 1,234, 7)", 3), (std::vector<std::string>{"5", "1234", "7"}));
  EXPECT_TRUE(listed_answers("(5, 7)", 3).empty());
}

}  // namespace
}  // namespace lanerope
