// SPDX-License-Identifier: Apache-2.0
#include "eval/mcnemar.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace lanerope::eval {
namespace {

double binomial(int n, int k) {
  return std::exp(std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1) - n * std::log(2.0));
}

// The share of all ways to flip the signs of these whole numbers whose sum is as far from 0 or farther.
double share_of_flips(const std::vector<int>& numbers) {
  int observed = 0;
  for (const int number : numbers) observed += number;
  const int ways = 1 << numbers.size();
  int far = 0;
  for (int signs = 0; signs < ways; ++signs) {
    int sum = 0;
    for (size_t i = 0; i < numbers.size(); ++i) sum += ((signs >> i) & 1) != 0 ? numbers[i] : -numbers[i];
    if (std::abs(sum) >= std::abs(observed)) ++far;
  }
  return static_cast<double>(far) / ways;
}

TEST(McNemar, WithOneLaneIsTheExactTest) {
  for (const auto& [first, second] : {std::pair(3, 11), {0, 1}, {7, 7}, {20, 4}}) {
    std::vector<Tally> a(50, {.right = 1, .of = 1});
    std::vector<Tally> b(50, {.right = 1, .of = 1});
    for (int i = 0; i < first; ++i) b[i].right = 0;
    for (int i = 0; i < second; ++i) a[49 - i].right = 0;
    double tail = 0;
    for (int k = 0; k <= std::min(first, second); ++k) tail += 2 * binomial(first + second, k);
    const McNemar test = mcnemar(a, b);
    EXPECT_EQ(test.first_alone, first);
    EXPECT_EQ(test.second_alone, second);
    EXPECT_TRUE(test.exact);
    EXPECT_NEAR(test.p, std::min(tail, 1.0), 1e-12) << first << " and " << second;
  }
  const std::vector<Tally> same = {{.right = 1, .of = 1}, {.right = 0, .of = 1}};
  EXPECT_EQ(mcnemar(same, same).p, 1);
}

TEST(McNemar, WithSeveralLanesFlipsTheSignOfEachQuestion) {
  const std::vector<int> of_four = {1, 2, 4, 0, 3, 1, 2, 0};
  const std::vector<int> of_two = {1, 1, 1, 1, 2, 2, 1, 1};
  std::vector<Tally> a;
  std::vector<Tally> b;
  std::vector<int> quarters;
  for (size_t i = 0; i < of_four.size(); ++i) {
    a.push_back({.right = of_four[i], .of = 4});
    b.push_back({.right = of_two[i], .of = 2});
    quarters.push_back(2 * of_two[i] - of_four[i]);
  }
  EXPECT_NEAR(mcnemar(a, b).p, share_of_flips(quarters), 1e-12);
}

TEST(McNemar, IsExactWhereQuestionsHaveDifferentNumbersOfLanes) {
  // In sixtieths: 15 -> 20, 30 -> 30, 0 -> 24, 30 -> 10, 60 -> 45, 12 -> 60.
  const std::vector<Tally> a = {{1, 4}, {3, 6}, {0, 5}, {2, 4}, {4, 4}, {1, 5}};
  const std::vector<Tally> b = {{2, 6}, {2, 4}, {2, 5}, {1, 6}, {3, 4}, {4, 4}};
  const McNemar test = mcnemar(a, b);
  EXPECT_EQ(test.second_alone, 3);
  EXPECT_EQ(test.first_alone, 2);
  EXPECT_TRUE(test.exact);
  EXPECT_NEAR(test.p, share_of_flips({5, 24, -20, -15, 48}), 1e-12);
}

TEST(McNemar, DropsNoQuestionForASmallDifference) {
  const std::vector<Tally> a = {{0, 4}, {0, 10}, {4, 4}};
  const std::vector<Tally> b = {{0, 4}, {1, 10}, {9, 10}};
  const McNemar test = mcnemar(a, b);
  EXPECT_EQ(test.first_alone, 1);
  EXPECT_EQ(test.second_alone, 1);
}

TEST(McNemar, OfManyQuestionsWithManyLanesIsChiSquaredAndCloseToTheExactOne) {
  std::mt19937 random(3);
  std::vector<Tally> a;
  std::vector<Tally> b;
  std::vector<Tally> fine;
  for (int i = 0; i < 400; ++i) {
    a.push_back({.right = static_cast<int64_t>(random() % 5), .of = 4});
    const int64_t more = random() % 8 == 0 ? 1 : 0;
    const int64_t right = std::min<int64_t>(4, static_cast<int64_t>(random() % 5) + more);
    b.push_back({.right = right, .of = 4});
    fine.push_back({.right = right * 4001 / 4, .of = 4001});
  }
  const McNemar exact = mcnemar(a, b);
  const McNemar approximate = mcnemar(a, fine);
  EXPECT_TRUE(exact.exact);
  EXPECT_FALSE(approximate.exact);
  EXPECT_NEAR(approximate.p, exact.p, 0.02);
}

TEST(McNemar, IsChiSquaredWhereNoFractionFitsAllQuestions) {
  const std::vector<Tally> a = {{0, 101}, {0, 103}, {50, 107}, {0, 109}};
  const std::vector<Tally> b = {{50, 101}, {50, 103}, {0, 107}, {50, 109}};
  double sum = 0;
  double squares = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    sum += b[i].share() - a[i].share();
    squares += std::pow(b[i].share() - a[i].share(), 2);
  }
  const McNemar test = mcnemar(a, b);
  EXPECT_FALSE(test.exact);
  EXPECT_EQ(test.first_alone, 1);
  EXPECT_EQ(test.second_alone, 3);
  EXPECT_NEAR(test.p, std::erfc(std::sqrt(sum * sum / squares / 2)), 1e-12);
}

}  // namespace
}  // namespace lanerope::eval
