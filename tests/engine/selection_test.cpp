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
      select({.kind = SelectionKind::vote}, {lane("1"), lane("7"), lane("7"), lane(std::nullopt)}, {});
  EXPECT_EQ(selected.lane, 1);
  EXPECT_DOUBLE_EQ(selected.confidence.value, 0.5) << "a lane without an answer did not agree";
  EXPECT_EQ(selected.confidence.kind, ConfidenceKind::vote_share);
  EXPECT_EQ(select({.kind = SelectionKind::vote}, {lane("1"), lane("2")}, {}).lane, 0);
  EXPECT_EQ(select({.kind = SelectionKind::vote}, {lane(std::nullopt)}, {}).lane, -1);
}

LaneResult sure_lane(const std::string& answer, const Certainty& certainty) {
  LaneResult made = lane(answer);
  made.certainty = certainty;
  return made;
}

TEST(Votes, WeighWhatTheyAreAskedTo) {
  const std::vector<LaneResult> lanes = {sure_lane("4", {1, 2}), sure_lane("4", {1.5, 2}),
                                         sure_lane("9", {3, 3})};
  const auto of = [&](VoteWeight weight) { return count_votes(lanes, weight); };
  EXPECT_EQ(of(VoteWeight::equal)[0].answer, "4");
  EXPECT_DOUBLE_EQ(of(VoteWeight::equal)[0].weight, 2);
  EXPECT_EQ(of(VoteWeight::self_certainty)[0].answer, "9");
  EXPECT_DOUBLE_EQ(of(VoteWeight::self_certainty)[0].weight, 3);
  EXPECT_DOUBLE_EQ(of(VoteWeight::self_certainty)[1].weight, 2.5);
  EXPECT_EQ(of(VoteWeight::lowest_window)[0].answer, "4");
  const Selected selected = select({.weight = VoteWeight::self_certainty}, lanes, {});
  EXPECT_EQ(selected.lane, 2);
  EXPECT_DOUBLE_EQ(selected.confidence.value, 3 / 5.5);
  EXPECT_EQ(selected.confidence.kind, ConfidenceKind::weight_share);
}

TEST(Votes, ThatWeighAlikeGoToTheAnswerOfMoreLanesThenToTheFirst) {
  // 0.1 three times is not 0.3 in floating point, and weighs as much all the same.
  const std::vector<LaneResult> lanes = {sure_lane("9", {0.3, 0}), sure_lane("4", {0.1, 0}),
                                         sure_lane("4", {0.1, 0}), sure_lane("4", {0.1, 0}),
                                         sure_lane("5", {0.3, 0})};
  const auto votes = count_votes(lanes, VoteWeight::self_certainty);
  ASSERT_EQ(votes.size(), 3U);
  EXPECT_EQ(votes[0].answer, "4");
  EXPECT_EQ(votes[1].answer, "9");
  EXPECT_EQ(votes[2].answer, "5");
}

TEST(Votes, OfLanesThatWereNotMeasuredWeighNothing) {
  EXPECT_EQ(vote_weight(lane("4"), VoteWeight::self_certainty), 0);
  EXPECT_EQ(vote_weight(sure_lane("4", {std::nan(""), -1}), VoteWeight::self_certainty), 0);
  EXPECT_EQ(vote_weight(sure_lane("4", {1, -1}), VoteWeight::lowest_window), 0) << "no vote counts against";
  EXPECT_DOUBLE_EQ(vote_weight(lane("4", -2), VoteWeight::logprob), std::exp(-2));
}

TEST(Selection, ByLogProbabilityTakesTheHighestMean) {
  LaneResult silent = lane("1", 0);
  silent.generated = 0;
  const Selected selected =
      select({.kind = SelectionKind::logprob}, {silent, lane("1", -2), lane("2", -0.5), lane("3", -1)}, {});
  EXPECT_EQ(selected.lane, 2);
  EXPECT_DOUBLE_EQ(selected.confidence.value, std::exp(-0.5));
  EXPECT_EQ(selected.confidence.kind, ConfidenceKind::mean_probability);
  EXPECT_EQ(select({.kind = SelectionKind::logprob}, {silent}, {}).lane, -1);
}

TEST(Selection, ByFirstTakesTheOneThatEndedByItself) {
  const std::vector<LaneResult> lanes = {lane("1", -1, FinishReason::length),
                                         lane("2", -2, FinishReason::stop), lane("3", -3, FinishReason::end),
                                         lane("4", -4, FinishReason::retired)};
  EXPECT_EQ(select({.kind = SelectionKind::first}, lanes, {3, 0, 2, 1}).lane, 2);
  EXPECT_EQ(select({.kind = SelectionKind::first}, lanes, {0, 1}).lane, 1);
  EXPECT_EQ(select({.kind = SelectionKind::first}, lanes, {0, 3}).lane, -1);
  EXPECT_EQ(select({.kind = SelectionKind::none}, lanes, {0}).lane, -1);
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
