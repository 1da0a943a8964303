// SPDX-License-Identifier: Apache-2.0
#include "eval/comparison.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace lanerope::eval {
namespace {

double binomial(int n, int k) {
  return std::exp(std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1) - n * std::log(2.0));
}

TEST(McNemar, WithOneLaneIsTheExactTest) {
  for (const auto& [first, second] : {std::pair(3, 11), {0, 1}, {7, 7}, {20, 4}}) {
    std::vector<double> a(50, 1.0);
    std::vector<double> b(50, 1.0);
    for (int i = 0; i < first; ++i) b[i] = 0;
    for (int i = 0; i < second; ++i) a[49 - i] = 0;
    double tail = 0;
    for (int k = 0; k <= std::min(first, second); ++k) tail += 2 * binomial(first + second, k);
    const McNemar test = mcnemar(a, b, {});
    EXPECT_EQ(test.first_alone, first);
    EXPECT_EQ(test.second_alone, second);
    EXPECT_TRUE(test.exact);
    EXPECT_NEAR(test.p, std::min(tail, 1.0), 1e-12) << first << " and " << second;
  }
  EXPECT_EQ(mcnemar(std::vector<double>{1, 0}, std::vector<double>{1, 0}, {}).p, 1);
}

TEST(McNemar, WithSeveralLanesFlipsTheSignOfEachQuestion) {
  const std::vector<double> a = {0.25, 0.5, 1, 0, 0.75, 0.25, 0.5, 0};
  const std::vector<double> b = {0.5, 0.5, 0.5, 0.5, 1, 1, 0.5, 0.5};
  double observed = 0;
  for (size_t i = 0; i < a.size(); ++i) observed += b[i] - a[i];
  int far = 0;
  for (int signs = 0; signs < 256; ++signs) {
    double sum = 0;
    for (size_t i = 0; i < a.size(); ++i) sum += ((signs >> i) & 1) != 0 ? b[i] - a[i] : a[i] - b[i];
    if (std::abs(sum) >= std::abs(observed) - 1e-9) ++far;
  }
  EXPECT_NEAR(mcnemar(a, b, {.first = 4, .second = 2}).p, far / 256.0, 1e-12);
}

TEST(McNemar, OfManyQuestionsWithManyLanesIsChiSquaredAndCloseToTheExactOne) {
  std::mt19937 random(3);
  std::vector<double> a;
  std::vector<double> b;
  for (int i = 0; i < 400; ++i) {
    a.push_back((random() % 5) / 4.0);
    b.push_back(std::min(1.0, (random() % 5 + (random() % 8 == 0 ? 1 : 0)) / 4.0));
  }
  const McNemar exact = mcnemar(a, b, {.first = 4, .second = 4});
  const McNemar approximate = mcnemar(a, b, {.first = 4, .second = 4001});
  EXPECT_TRUE(exact.exact);
  EXPECT_FALSE(approximate.exact);
  EXPECT_NEAR(approximate.p, exact.p, 0.02);
}

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

}  // namespace
}  // namespace lanerope::eval
