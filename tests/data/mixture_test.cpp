// SPDX-License-Identifier: Apache-2.0
#include "data/mixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "lanerope/errors.h"

namespace lanerope::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

constexpr Mixture::Limits limits = {.what = "--parts", .least = 1, .largest = 16};

// How often each value comes in 12000 draws.
std::map<int32_t, int> drawn(std::string_view text) {
  const Mixture mixture = Mixture::parse(text, limits);
  RandomStream random(1);
  std::map<int32_t, int> times;
  for (int i = 0; i < 12000; ++i) ++times[mixture.draw(random)];
  return times;
}

TEST(Mixture, ANumberIsAlwaysDrawn) {
  EXPECT_THAT(drawn("4"), ElementsAre(Pair(4, 12000)));
}

TEST(Mixture, ARangeIsUniform) {
  const auto near = [](int count) {
    return ::testing::AllOf(::testing::Gt(count - 250), ::testing::Lt(count + 250));
  };
  EXPECT_THAT(drawn("2-4"), ElementsAre(Pair(2, near(4000)), Pair(3, near(4000)), Pair(4, near(4000))));
}

TEST(Mixture, WeightsNeedNotSumToOne) {
  const std::map<int32_t, int> times = drawn("1:0.5,2:0,4:1");
  EXPECT_EQ(times.count(2), 0U);
  EXPECT_NEAR(times.at(1), 4000, 250);
  EXPECT_NEAR(times.at(4), 8000, 250);
  EXPECT_FALSE(Mixture::parse("1:0.5,4:1", limits).counts());
}

TEST(Mixture, WholeWeightsAreCounts) {
  const Mixture mixture = Mixture::parse("2:3,5:0,4:2", limits);
  ASSERT_TRUE(mixture.counts());
  EXPECT_EQ(mixture.total_count(), 5);
  RandomStream random(1);
  EXPECT_THAT(mixture.shuffled_counts(random), UnorderedElementsAre(2, 2, 2, 4, 4));
  EXPECT_FALSE(Mixture::parse("2-8", limits).counts());
}

TEST(Mixture, KnowsItsLargestNumber) {
  EXPECT_EQ(Mixture::parse("4", limits).largest(), 4);
  EXPECT_EQ(Mixture::parse("1-6", limits).largest(), 6);
  EXPECT_EQ(Mixture::parse("8:0.1,2:0.9", limits).largest(), 8);
}

TEST(Mixture, RefusesEverythingElseInOneSentence) {
  const std::map<std::string, std::string> reasons = {
      {"", "'' is not a whole number"},         {"four", "'four' is not a whole number"},
      {"0", "0 is not within 1 to 16"},         {"2-17", "17 is not within 1 to 16"},
      {"8-2", "the range ends before"},         {"1,2", "'1' has no weight"},
      {"1:0.5,", "'' has no weight"},           {"1:x", "'x' is not a weight"},
      {"1:-1", "'-1' is not a weight"},         {"1:nan", "'nan' is not a weight"},
      {"1:0,2:0", "all weights are 0"},         {"2-", "'' is not a whole number"},
      {"99999999999", "is not a whole number"}, {"1:1e300", "'1e300' is not a weight"},
  };
  for (const auto& [text, reason] : reasons) {
    try {
      Mixture::parse(text, limits);
      ADD_FAILURE() << text << " was taken";
    } catch (const InvalidRequest& error) {
      EXPECT_THAT(error.what(), HasSubstr("--parts does not take '" + text + "': "));
      EXPECT_THAT(error.what(), HasSubstr(reason));
    }
  }
}

}  // namespace
}  // namespace lanerope::data
