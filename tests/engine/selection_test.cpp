// SPDX-License-Identifier: Apache-2.0
#include "engine/selection.h"

#include <gtest/gtest.h>

#include <cmath>

namespace lanerope::engine {
namespace {

LaneResult lane(std::optional<std::string> answer, double mean_logprob = -1,
                FinishReason finish = FinishReason::end) {
  return {.finish = finish, .answer = std::move(answer), .generated = 5, .mean_logprob = mean_logprob};
}

TEST(Votes, AreCountedMostFirstAndTiesAsTheyWereSeen) {
  const auto votes = count_votes({lane("9"), lane("4"), lane(std::nullopt), lane("4"), lane("9"), lane("1")});
  ASSERT_EQ(votes.size(), 3U);
  EXPECT_EQ(votes[0].answer, "9");
  EXPECT_EQ(votes[0].count, 2);
  EXPECT_EQ(votes[1].answer, "4");
  EXPECT_EQ(votes[2].answer, "1");
}

TEST(Selection, ByVoteTakesTheFirstLaneOfTheMajorityAndClaimsItsShare) {
  const Selected selected =
      select(SelectionKind::vote, {lane("1"), lane("7"), lane("7"), lane(std::nullopt)}, {});
  EXPECT_EQ(selected.lane, 1);
  EXPECT_DOUBLE_EQ(selected.confidence.value, 0.5) << "a lane without an answer did not agree";
  EXPECT_EQ(selected.confidence.kind, ConfidenceKind::vote_share);
  EXPECT_EQ(select(SelectionKind::vote, {lane("1"), lane("2")}, {}).lane, 0);
  EXPECT_EQ(select(SelectionKind::vote, {lane(std::nullopt)}, {}).lane, -1);
}

TEST(Selection, ByLogProbabilityTakesTheHighestMean) {
  LaneResult silent = lane("1", 0);
  silent.generated = 0;
  const Selected selected =
      select(SelectionKind::logprob, {silent, lane("1", -2), lane("2", -0.5), lane("3", -1)}, {});
  EXPECT_EQ(selected.lane, 2);
  EXPECT_DOUBLE_EQ(selected.confidence.value, std::exp(-0.5));
  EXPECT_EQ(selected.confidence.kind, ConfidenceKind::mean_probability);
  EXPECT_EQ(select(SelectionKind::logprob, {silent}, {}).lane, -1);
}

TEST(Selection, ByFirstTakesTheOneThatEndedByItself) {
  const std::vector<LaneResult> lanes = {lane("1", -1, FinishReason::length),
                                         lane("2", -2, FinishReason::stop), lane("3", -3, FinishReason::end),
                                         lane("4", -4, FinishReason::retired)};
  EXPECT_EQ(select(SelectionKind::first, lanes, {3, 0, 2, 1}).lane, 2);
  EXPECT_EQ(select(SelectionKind::first, lanes, {0, 1}).lane, 1);
  EXPECT_EQ(select(SelectionKind::first, lanes, {0, 3}).lane, -1);
  EXPECT_EQ(select(SelectionKind::none, lanes, {0}).lane, -1);
}

TEST(Selection, ByScoresTakesTheFirstOfTheHighest) {
  EXPECT_EQ(select_by_scores({0.1, 0.9, 0.9}).lane, 1);
  EXPECT_DOUBLE_EQ(select_by_scores({0.1, 0.9, 0.9}).confidence.value, 0.9);
  EXPECT_EQ(select_by_scores({0.1, 0.9, 0.9}).confidence.kind, ConfidenceKind::verifier_score);
  const Selected selected = select_by_scores({-1, 3, 2});
  EXPECT_EQ(selected.lane, 1);
  EXPECT_NEAR(selected.confidence.value, 1 / (std::exp(-4.0) + 1 + std::exp(-1.0)), 1e-12)
      << "a share of the soft-max";
  EXPECT_EQ(select_by_scores({}).lane, -1);
}

}  // namespace
}  // namespace lanerope::engine
