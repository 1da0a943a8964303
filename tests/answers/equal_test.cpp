// SPDX-License-Identifier: Apache-2.0
#include "answers/equal.h"

#include <gtest/gtest.h>

#include <ctime>
#include <random>
#include <string>
#include <vector>

#include "answers/extract.h"
#include "tests/answers/pair_tables.h"

namespace lanerope::answers {
namespace {

std::string repeated(const std::string& part, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += part;
  return text;
}

// Of the processor, so that a loaded machine does not count.
double seconds_of(const auto& work) {
  const std::clock_t start = std::clock();
  work();
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

std::vector<std::string> all_answers() {
  std::vector<std::string> answers;
  for (const auto& file : pair_files()) {
    for (const auto& pair : pairs_in(file)) {
      answers.push_back(pair.a);
      answers.push_back(pair.b);
    }
  }
  return answers;
}

TEST(AnswersEqual, IsSymmetricForAnswersOfAnyTwoKinds) {
  const std::vector<std::string> answers = all_answers();
  std::mt19937 random(7);
  for (int i = 0; i < 20000; ++i) {
    const std::string& a = answers[random() % answers.size()];
    const std::string& b = answers[random() % answers.size()];
    EXPECT_EQ(answers_equal(a, b), answers_equal(b, a)) << a << " | " << b;
  }
}

TEST(AnswersEqual, TakesTheKindOfItsQuestion) {
  EXPECT_TRUE(answers_equal("x + 1", "1 + x"));
  EXPECT_FALSE(answers_equal("x + 1", "1 + x", AnswerKind::exact));
  EXPECT_TRUE(answers_equal(" x + 1 ", "x + 1", AnswerKind::exact));
  EXPECT_TRUE(answers_equal("(B) because it is blue", "B", AnswerKind::choice));
  EXPECT_FALSE(answers_equal("42", "42.0", AnswerKind::choice)) << "no letters";
  EXPECT_TRUE(answers_equal("No, it is not.", "no", AnswerKind::yes_no));
  EXPECT_FALSE(answers_equal("maybe", "perhaps", AnswerKind::yes_no));
}

TEST(AnswerGroups, AreCountedFromTheirFirstAnswerNotInChains) {
  AnswerGroups groups;
  EXPECT_EQ(groups.add("50"), 0U);
  EXPECT_EQ(groups.add("50%"), 0U);
  EXPECT_EQ(groups.add("0.5"), 1U) << "equals 50%, but not the 50 that the group stands for";
  EXPECT_EQ(groups.add("\\frac{1}{2}"), 1U);
  EXPECT_EQ(groups.add("50.0"), 0U);
  ASSERT_EQ(groups.votes().size(), 2U);
  EXPECT_EQ(groups.votes()[0].answer, "50");
  EXPECT_EQ(groups.votes()[0].count, 3);
  EXPECT_EQ(groups.votes()[1].answer, "0.5");
  EXPECT_EQ(groups.votes()[1].count, 2);
}

TEST(AnswersEqual, IsQuickWhateverItIsGiven) {
  for (const std::string& hostile : {repeated("(", 4000),
                                     repeated("{", 4000),
                                     repeated("[", 4000),
                                     repeated("\\{", 2000),
                                     repeated("|", 4000),
                                     repeated("\\frac", 800),
                                     repeated("\\frac{1}{", 400),
                                     repeated("-", 4000),
                                     repeated("1,", 2000),
                                     repeated("9^", 1000) + "9",
                                     repeated("9^{", 50) + "9" + repeated("}", 50),
                                     repeated("\\sqrt", 800),
                                     repeated("\\sqrt{2}+", 400) + "1",
                                     repeated("x!+", 900) + "1",
                                     repeated("(1,", 400) + repeated(")", 400),
                                     repeated("\\sin ", 700) + "x",
                                     repeated("1\\pm ", 500) + "1",
                                     repeated("x=", 1500) + "1",
                                     repeated("x<", 1500) + "1",
                                     repeated("\\sin(x)\\cos(y)+", 250) + "1",
                                     std::string("9^{9^{9^9}}"),
                                     std::string("(9^{9^9})!"),
                                     std::string("1500!"),
                                     std::string("x^{9^{9}}+1"),
                                     std::string("\\sin(10^{100000})"),
                                     std::string("1e99999"),
                                     std::string("1e-99999"),
                                     std::string("1/0"),
                                     std::string("\\frac{1}{0}"),
                                     std::string("\\frac"),
                                     std::string("0^{-1}"),
                                     std::string("\\sqrt{-1}"),
                                     std::string("\\text{"),
                                     std::string("\\"),
                                     repeated("7", 4000),
                                     repeated("7", 1000000),
                                     repeated("\\boxed{", 140000),
                                     repeated("$5", 400000),
                                     repeated("####", 200000),
                                     repeated("the answer is ", 70000),
                                     std::string("\xff\xfe"),
                                     std::string("1\0002", 3)}) {
    constexpr double most_seconds = 0.05;  // 0.01 with room for a loaded machine
    const double seconds = seconds_of([&] {
      EXPECT_TRUE(answers_equal(hostile, hostile));
      EXPECT_FALSE(answers_equal(hostile, "7"));
      EXPECT_FALSE(answers_equal("(7, 8)", hostile));
      EXPECT_FALSE(answers_equal(hostile + " + 1", hostile + " + 2")) << hostile.substr(0, 40);
    });
    EXPECT_LT(seconds, 4 * most_seconds) << hostile.substr(0, 40);
    EXPECT_LT(seconds_of([&] {
                extract_answer(hostile);
                extract_answer("\\boxed{" + hostile);
                extract_settled_answer(hostile);
              }),
              1.0)
        << hostile.substr(0, 40);
  }
}

TEST(AnswersEqual, JudgesTenThousandAnswersOfGradeSchoolInASecond) {
  std::mt19937 random(3);
  int equal = 0;
  const double seconds = seconds_of([&] {
    for (int i = 0; i < 10000; ++i) {
      const auto truth = std::to_string(random() % 5000);
      const auto given = std::to_string(random() % 5000);
      const std::string text = "First she has " + given +
                               " eggs.\nThen 3 + 4 = <<3+4=7>>7 more.\nThe answer is $" + truth +
                               " dollars.\n#### " + truth + "\n";
      equal += answers_equal(extract_answer(text).value_or(""), truth) ? 1 : 0;
    }
  });
  EXPECT_EQ(equal, 10000);
  EXPECT_LT(seconds, 1.0);
}

}  // namespace
}  // namespace lanerope::answers
