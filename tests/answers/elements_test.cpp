// SPDX-License-Identifier: Apache-2.0
#include "answers/elements.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "answers/extract.h"

namespace lanerope::answers {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(ListElements, AreWhatCommasPart) {
  EXPECT_THAT(list_elements("(5, 18, 7)", 3), ElementsAre("5", "18", "7"));
  EXPECT_THAT(list_elements("5,18,7", 3), ElementsAre("5", "18", "7"));
  EXPECT_THAT(list_elements("[5; 18]", 2), ElementsAre("5", "18"));
  EXPECT_THAT(list_elements("$(5, \\$18)$.", 2), ElementsAre("5", "\\$18"));
  EXPECT_THAT(list_elements("\\left(\\frac{1}{2}, x\\right)", 2), ElementsAre("\\frac{1}{2}", "x"));
  EXPECT_THAT(list_elements("**(5, 6)**", 2), ElementsAre("5", "6"));
  EXPECT_THAT(list_elements("72", 1), ElementsAre("72"));
  EXPECT_THAT(list_elements("(72)", 1), ElementsAre("(72)"));
}

TEST(ListElements, CommasOfThousandsPartNothingWhereTheCountSaysSo) {
  EXPECT_THAT(list_elements("(1,234, 5)", 2), ElementsAre("1234", "5"));
  EXPECT_THAT(list_elements("(1,234, 5)", 3), ElementsAre("1", "234", "5"));
  EXPECT_THAT(list_elements("3,456", 2), ElementsAre("3", "456"));
  EXPECT_THAT(list_elements("3,456", 1), ElementsAre("3456"));
}

TEST(ListElements, BracketsInsideHoldTogether) {
  EXPECT_THAT(list_elements("((1, 2), [3, 4])", 2), ElementsAre("(1, 2)", "[3, 4]"));
  EXPECT_THAT(list_elements("(1, 2), (3, 4)", 2), ElementsAre("(1, 2)", "(3, 4)"));
}

TEST(ListElements, OfAnotherNumberAreNone) {
  EXPECT_THAT(list_elements("(5, 18)", 3), IsEmpty());
  EXPECT_THAT(list_elements("5", 2), IsEmpty());
  EXPECT_THAT(list_elements("", 2), IsEmpty());
  EXPECT_THAT(list_elements("(5, , 7)", 3), IsEmpty()) << "an answer that is not there";
}

TEST(ListElements, AreThoseOfTheAnswerThatATextMarks) {
  const auto answer = extract_answer("Problem 1: ... Answer 1: 5\n wait wait\n#### (5, 18, 7)");
  ASSERT_TRUE(answer);
  EXPECT_THAT(list_elements(*answer, 3), ElementsAre("5", "18", "7"));
}

}  // namespace
}  // namespace lanerope::answers
