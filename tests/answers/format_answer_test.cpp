// SPDX-License-Identifier: Apache-2.0
#include "answers/format_answer.h"

#include <gtest/gtest.h>

namespace lanerope::answers {
namespace {

TEST(FormatAnswer, OfJsonIsTheMemberThatIsCalledSo) {
  const auto answer = json_answer(R"({"steps": ["3 + 4 = 7", "7 * 2 = 14"], "answer": 14, "unit": "km 99"})");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->text, "14");
  EXPECT_EQ(answer->from, AnswerFrom::mark);
  EXPECT_EQ(json_answer(R"({"result": 1, "final_answer": "two"})")->text, "two");
  EXPECT_EQ(json_answer(R"({"result": [1, 2]})")->text, "[1,2]");
}

TEST(FormatAnswer, OfOtherJsonIsAllOfItInOneSpelling) {
  const auto one = json_answer("{\"name\": \"Ann\",\n \"age\": 30}");
  const auto other = json_answer(R"( {"age":30,"name":"Ann"} )");
  ASSERT_TRUE(one && other);
  EXPECT_EQ(one->text, R"({"age":30,"name":"Ann"})");
  EXPECT_EQ(one->text, other->text);
  EXPECT_EQ(one->from, AnswerFrom::format);
  EXPECT_EQ(json_answer("[1, 2]")->text, "[1,2]");
}

TEST(FormatAnswer, OfJsonThatWasCutOffIsNone) {
  EXPECT_FALSE(json_answer(R"({"answer": 14)"));
  EXPECT_FALSE(json_answer(""));
}

TEST(FormatAnswer, OfAChoiceIsItsText) {
  EXPECT_EQ(whole_answer(" New York\n")->text, "New York");
  EXPECT_EQ(whole_answer("3 apples")->from, AnswerFrom::format);
  EXPECT_FALSE(whole_answer(" \n"));
}

}  // namespace
}  // namespace lanerope::answers
