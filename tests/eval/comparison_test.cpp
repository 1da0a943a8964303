// SPDX-License-Identifier: Apache-2.0
#include "eval/comparison.h"

#include <gtest/gtest.h>

#include "eval/metrics.h"

namespace lanerope::eval {
namespace {

EvalRecord record(const std::string& arm, int64_t question, const std::string& answer, int32_t length) {
  return {.arm = arm,
          .question = question,
          .lanes = {{.answer = answer, .ended = true, .length = length},
                    {.answer = answer, .ended = true, .length = length}},
          .seconds = length / 10.0,
          .steps = length};
}

TEST(Comparison, SaysWhatAnAccuracyCosts) {
  const std::vector<Truth> truths = {{.answer = "1"}, {.answer = "2"}, {.answer = "3"}, {.answer = "4"}};
  // A has 1, 2 and 3 right, after 10, 20 and 30 tokens; B all four, after 40 each.
  std::vector<EvalRecord> records = {record("A", 0, "1", 10), record("A", 1, "2", 20),
                                     record("A", 2, "3", 30), record("A", 3, "9", 10)};
  for (int i = 0; i < 4; ++i) records.push_back(record("B", i, std::to_string(i + 1), 40));
  const PairedArms arms = pair_arms(std::vector<std::string>{"A", "B"}, records, truths);
  const Comparison result = compare_arms(arms, {.budget = 64, .accuracies = {0.5, 0.75, 1}});
  EXPECT_EQ(result.questions, 4);
  EXPECT_DOUBLE_EQ(result.majority.first.value, 0.75);
  EXPECT_DOUBLE_EQ(result.majority.second.value, 1);
  EXPECT_DOUBLE_EQ(result.majority.difference.value, 0.25);
  EXPECT_EQ(result.majority.difference.low, 0);
  EXPECT_EQ(result.mcnemar.first_alone, 0);
  EXPECT_EQ(result.mcnemar.second_alone, 1);
  EXPECT_EQ(result.mcnemar.p, 1) << "one question says nothing";
  ASSERT_EQ(result.prices.size(), 3U);
  const Price half = *result.prices[0].first;
  EXPECT_EQ(half.budget, 20);
  EXPECT_DOUBLE_EQ(half.total_tokens, (20 + 40 + 40 + 20) / 4.0);
  EXPECT_DOUBLE_EQ(half.seconds, (1 + 2 + 2 + 1) / 4.0);
  EXPECT_EQ(result.prices[1].first->budget, 30);
  EXPECT_FALSE(result.prices[2].first) << "A never has all of them";
  EXPECT_EQ(result.prices[0].second->budget, 40);
  EXPECT_EQ(result.prices[2].second->budget, 40);
  EXPECT_DOUBLE_EQ(result.second_curve.back().majority, 1);
  EXPECT_EQ(result.first_curve.back().price.budget, 64);
}

TEST(Comparison, OfAnArmWithItselfIsNoDifference) {
  const std::vector<Truth> truths = {{.answer = "1"}, {.answer = "2"}};
  const std::vector<EvalRecord> records = {record("A", 0, "1", 9), record("A", 1, "7", 9),
                                           record("B", 0, "1", 9), record("B", 1, "7", 9)};
  const Comparison result =
      compare_arms(pair_arms(std::vector<std::string>{"A", "B"}, records, truths), {.budget = 9});
  EXPECT_EQ(result.pass.difference.low, 0);
  EXPECT_EQ(result.pass.difference.high, 0);
  EXPECT_EQ(result.pass.second_better, 0);
  EXPECT_EQ(result.mcnemar.p, 1);
  ASSERT_EQ(result.prices.size(), 5U) << "10 % to 50 %";
  EXPECT_EQ(result.prices.back().accuracy, 0.5);
}

TEST(Comparison, OfListsCountsEachPlaceAsTheReportDoes) {
  const std::vector<EvalQuestion> questions = {
      {.text = "a", .truth = "(5, 18, 7)", .parts = {"5", "18", "7"}},
      {.text = "b", .truth = "(1, 2, 3)", .parts = {"1", "2", "3"}}};
  const std::vector<EvalRecord> records = {record("A", 0, "(5, 18, 8)", 10), record("A", 1, "(1, 2, 3)", 20),
                                           record("B", 0, "(5, 18, 7)", 10), record("B", 1, "(1, 4, 4)", 20)};
  const std::vector<std::string> names = {"A", "B"};
  const PairedArms arms = pair_arms(names, records, truths_of(questions));
  const Comparison result = compare_arms(arms, {.budget = 64, .accuracies = {0.5}});
  EXPECT_DOUBLE_EQ(result.majority.first.value, (2 + 3) / 6.0);
  EXPECT_DOUBLE_EQ(result.majority.second.value, (3 + 1) / 6.0);
  EXPECT_DOUBLE_EQ(result.pass.difference.value, -1 / 6.0);
  EXPECT_DOUBLE_EQ(result.oracle.second.value, (3 + 1) / 6.0);
  EXPECT_EQ(result.mcnemar.first_alone, 1);
  EXPECT_EQ(result.mcnemar.second_alone, 1);
  EXPECT_EQ(result.mcnemar.p, 1) << "+1/3 and -2/3: every flip is at least as far from 0 as -1/3";
  EXPECT_EQ(result.prices[0].first->budget, 20) << "2/3 of a alone is 1/3 of both";
  const std::vector<ArmScore> scores = score_arms(arms, questions, {.budgets = {64}});
  EXPECT_EQ(result.majority.first.value, scores[0].budgets[0].majority.value);
  EXPECT_EQ(result.pass.second.value, scores[1].budgets[0].pass.value);
  EXPECT_EQ(result.oracle.second.value, scores[1].budgets[0].oracle.value);
  EXPECT_EQ(result.majority.difference.low, scores[1].gain[0].low);
}

TEST(Comparison, CountsLanesThatAPolicyAddedAmongAnswersAndNotAmongLanes) {
  const std::vector<Truth> truths = {{.answer = "1"}, {.answer = "2"}};
  EvalRecord with_fork = record("A", 0, "1", 9);
  with_fork.lanes.push_back({.answer = "7", .ended = true, .length = 9, .start_step = 4});
  const std::vector<EvalRecord> records = {with_fork, record("A", 1, "2", 9), record("B", 0, "1", 9),
                                           record("B", 1, "2", 9)};
  const Comparison result =
      compare_arms(pair_arms(std::vector<std::string>{"A", "B"}, records, truths), {.budget = 9});
  EXPECT_EQ(result.lanes.first, 2);
  EXPECT_EQ(result.lanes.second, 2);
  EXPECT_DOUBLE_EQ(result.pass.first.value, (2 / 3.0 + 1) / 2);
  EXPECT_EQ(result.mcnemar.first_alone, 0);
  EXPECT_EQ(result.mcnemar.second_alone, 1) << "a third of three lanes is wrong";
}

}  // namespace
}  // namespace lanerope::eval
