// SPDX-License-Identifier: Apache-2.0
#include "answers/extract.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace lanerope::answers {
namespace {

// What each text of extractions.tsv gives: the answer or "-", a tab, the text with ⏎ for the ends of its
// lines.
TEST(Answer, IsWhatAReaderWouldTakeForIt) {
  std::ifstream lines(LANEROPE_EXTRACTIONS);
  int n = 0;
  for (std::string line; std::getline(lines, line); ++n) {
    const size_t tab = line.find('\t');
    const std::string expected = line.substr(0, tab);
    std::string text = line.substr(tab + 1);
    const std::string mark = "⏎";
    for (size_t at = 0; (at = text.find(mark, at)) != std::string::npos;) text.replace(at, mark.size(), "\n");
    EXPECT_EQ(extract_answer(text).value_or("-"), expected) << text;
  }
  EXPECT_GT(n, 90);
}

TEST(Answer, SaysWhereItIsFrom) {
  const auto from = [](const char* text) { return find_answer(text).value().from; };
  EXPECT_EQ(from("\\boxed{4} #### 5\n the answer is 6"), AnswerFrom::box);
  EXPECT_EQ(from("the answer is 6\n#### 5"), AnswerFrom::mark);
  EXPECT_EQ(from("\\boxed{4}\n#### 5\n"), AnswerFrom::mark) << "the last word";
  EXPECT_EQ(from("#### 5\n\\boxed{4}"), AnswerFrom::box);
  EXPECT_EQ(from("\\boxed{4}\n#### Summary"), AnswerFrom::box) << "a heading";
  EXPECT_EQ(from("the answer is 6. 7 times checked"), AnswerFrom::frame);
  EXPECT_EQ(from("6 and 7 are 13"), AnswerFrom::last_expression);
}

TEST(Answer, IsTheLastBoxWhateverIsNestedInIt) {
  EXPECT_EQ(extract_answer("so \\boxed{42}."), "42");
  EXPECT_EQ(extract_answer("\\boxed{\\frac{1}{2}}"), "\\frac{1}{2}");
  EXPECT_EQ(extract_answer("\\boxed{ \\sqrt{\\frac{a}{b}} }"), "\\sqrt{\\frac{a}{b}}");
  EXPECT_EQ(extract_answer("\\boxed{7} and \\boxed{8"), "7") << "the last is still open";
  EXPECT_EQ(extract_answer("\\boxed{\\{1, 2\\}}"), "\\{1, 2\\}");
  EXPECT_EQ(extract_answer("\\boxed{}"), std::nullopt) << "an empty box has no vote";
}

TEST(Answer, IsNoNumberOfALaneTag) {
  for (const char* tag : {"</lane3>", "<lane3>", "<|lane3|>", "<lane 3>", "</lane_3>", "<|im_end|>"}) {
    EXPECT_EQ(extract_answer(std::string("12 * 12 equals 144") + tag), "144") << tag;
    EXPECT_EQ(extract_answer(std::string("Yellow, Shanghai") + tag), std::nullopt) << tag;
  }
}

TEST(Answer, IsNormalisedSoThatEqualOnesCompareEqual) {
  for (const char* seven :
       {"7", " 7 ", "7.", "7.0", "07", "+7", "$7$", "$7", "007.000", "7/", "**7**", "\\(7\\)"}) {
    EXPECT_EQ(normalise_answer(seven), "7") << seven;
  }
  EXPECT_EQ(normalise_answer("-0.0"), "0");
  EXPECT_EQ(normalise_answer("0.10"), "0.1");
  EXPECT_EQ(normalise_answer("1,234,567"), "1234567");
  EXPECT_EQ(normalise_answer("100"), "100");
  EXPECT_EQ(normalise_answer("12,34"), "12,34") << "no thousands";
  EXPECT_EQ(normalise_answer("(1,000, 2)"), "(1,000, 2)") << "whose commas separate, nobody knows yet";
  EXPECT_EQ(normalise_answer("\\$18"), "\\$18") << "money stays money";
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
  EXPECT_EQ(extract_settled_answer("Final answer: 1"), std::nullopt);
  EXPECT_EQ(extract_settled_answer("Final answer: 12\n"), "12");
  EXPECT_EQ(extract_settled_answer("So the answer is 12.\n"), "12");
  EXPECT_EQ(extract_settled_answer("We might think at first that the answer is 12\n"), std::nullopt)
      << "a frame in passing";
  EXPECT_EQ(extract_settled_answer("No, 91 is not prime.\n"), std::nullopt);
}

}  // namespace
}  // namespace lanerope::answers
