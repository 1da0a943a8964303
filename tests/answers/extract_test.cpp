// SPDX-License-Identifier: Apache-2.0
#include "answers/extract.h"

#include <gtest/gtest.h>

namespace lanerope::answers {
namespace {

TEST(Answer, IsTheLastBoxWhateverIsNestedInIt) {
  EXPECT_EQ(extract_answer("so \\boxed{42}."), "42");
  EXPECT_EQ(extract_answer("\\boxed{1} no, \\boxed{2}, 3 times"), "2");
  EXPECT_EQ(extract_answer("\\boxed{\\frac{1}{2}}"), "\\frac{1}{2}");
  EXPECT_EQ(extract_answer("\\boxed{ \\sqrt{\\frac{a}{b}} }"), "\\sqrt{\\frac{a}{b}}");
  EXPECT_EQ(extract_answer("\\boxed{7} and \\boxed{8"), "7") << "the last is still open";
  EXPECT_EQ(extract_answer("\\boxed{}"), "");
  EXPECT_EQ(extract_answer("\\boxed{\\{1, 2\\}}"), "\\{1, 2\\}");
  EXPECT_EQ(extract_answer("\\boxed{a}\\boxed{b} #### 3\n"), "b");
  EXPECT_EQ(extract_answer("\\boxed{\n 12\n}"), "12");
}

TEST(Answer, IsAlsoInTheOtherBoxesThatPeopleDraw) {
  EXPECT_EQ(extract_answer("\\fbox{42} or 43"), "42");
  EXPECT_EQ(extract_answer("$\\boxed 5$ of 9"), "5");
  EXPECT_EQ(extract_answer("\\boxed {5} of 9"), "5");
  EXPECT_EQ(extract_answer("\\boxed{1}, then \\boxed 2"), "1") << "it may go on to 23";
  EXPECT_EQ(extract_answer("a box{3} of 4"), "4");
  EXPECT_EQ(extract_answer("box"), std::nullopt);
}

TEST(Answer, IsElseWhatFollowsTheMark) {
  EXPECT_EQ(extract_answer("thinking 5\n#### 1,234\nthe end 9"), "1234");
  EXPECT_EQ(extract_answer("#### 1\n#### blue whale "), "blue whale");
  EXPECT_EQ(extract_answer("7 ####\n"), "7") << "nothing follows it";
}

TEST(Answer, IsElseTheLastNumber) {
  EXPECT_EQ(extract_answer("3 apples and 4 pears are 7."), "7");
  EXPECT_EQ(extract_answer("it is -12.50 in all"), "-12.5");
  EXPECT_EQ(extract_answer("about 1,234,567.0"), "1234567");
  EXPECT_EQ(extract_answer("from .5"), "0.5");
  EXPECT_EQ(extract_answer("pages 10-12"), "12");
  EXPECT_EQ(extract_answer("x = -3"), "-3");
  EXPECT_EQ(extract_answer("$18"), "18");
  EXPECT_EQ(extract_answer("one, two"), std::nullopt);
  EXPECT_EQ(extract_answer(""), std::nullopt);
}

TEST(Answer, IsNormalisedSoThatEqualOnesCompareEqual) {
  for (const char* seven : {"7", " 7 ", "7.", "7.0", "07", "+7", "$7$", "$7", "007.000", "7/"}) {
    EXPECT_EQ(normalise_answer(seven), "7") << seven;
  }
  EXPECT_EQ(normalise_answer("-0.0"), "0");
  EXPECT_EQ(normalise_answer("0.10"), "0.1");
  EXPECT_EQ(normalise_answer("100"), "100");
  EXPECT_EQ(normalise_answer("12,34"), "12,34") << "no thousands";
  EXPECT_EQ(normalise_answer("(1,000, 2)"), "(1000, 2)");
  EXPECT_EQ(normalise_answer("1e5"), "1e5");
  EXPECT_EQ(normalise_answer(""), "");
  EXPECT_EQ(normalise_answer("$."), "");
}

TEST(SettledAnswer, IsMarkedAndComplete) {
  EXPECT_EQ(extract_settled_answer("\\boxed{4"), std::nullopt);
  EXPECT_EQ(extract_settled_answer("\\boxed{4}"), "4");
  EXPECT_EQ(extract_settled_answer("#### 1"), std::nullopt) << "it may go on to 12";
  EXPECT_EQ(extract_settled_answer("#### 12\n"), "12");
  EXPECT_EQ(extract_settled_answer("it is 5\n"), std::nullopt) << "a number by the way is no answer yet";
}

}  // namespace
}  // namespace lanerope::answers
