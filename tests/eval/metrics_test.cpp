// SPDX-License-Identifier: Apache-2.0
#include "eval/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace lanerope::eval {
namespace {

EvalLane lane(const std::string& answer, int32_t length, double mean_logprob = -1) {
  return {.answer = answer, .ended = true, .length = length, .mean_logprob = mean_logprob};
}

EvalLane cut_off(std::vector<SettledAnswer> settled, int32_t length) {
  return {.ended = false, .length = length, .settled = std::move(settled)};
}

EvalRecord group(const std::string& arm, int64_t question, int32_t number, std::vector<EvalLane> lanes) {
  return {.arm = arm, .question = question, .group = number, .lanes = std::move(lanes)};
}

const std::vector<EvalQuestion> two_questions = {{.text = "a", .truth = "7", .by = "9"},
                                                 {.text = "b", .truth = "1/2", .by = "10"}};

std::vector<ArmScore> scores_of(const std::vector<std::string>& arms, const std::vector<EvalRecord>& records,
                                MetricOptions options) {
  return score_arms(pair_arms(arms, records, truths_of(two_questions)), two_questions, options);
}

// maj@k of lanes that say these.
double majority_of(const std::vector<std::string>& answers, const std::string& truth) {
  EvalRecord record;
  for (const std::string& answer : answers) record.lanes.push_back(lane(answer, 1));
  const QuestionLanes question({&record}, {.answer = truth});
  return majority(question, question.within(1, false));
}

TEST(Majority, CountsEqualAnswersTogether) {
  EXPECT_EQ(majority_of({"0.5", "\\frac12", "7"}, "1/2"), 1);
  EXPECT_EQ(majority_of({"7", "7", "0.5"}, "1/2"), 0);
  EXPECT_EQ(majority_of({}, "7"), 0);
}

TEST(Majority, OfATieIsRightAsOftenAsADrawWouldBe) {
  EXPECT_DOUBLE_EQ(majority_of({"7", "8"}, "7"), 1.0 / 2);
  EXPECT_DOUBLE_EQ(majority_of({"7", "8", "9", "9", "8", "7"}, "9"), 1.0 / 3);
  EXPECT_DOUBLE_EQ(majority_of({"8", "9"}, "7"), 0);
}

TEST(Scores, AreWhatCountingByHandGives) {
  // Question a: 7, 7, 8 and one cut off. Question b: 0.5 once, three times 3.
  const std::vector<EvalRecord> records = {
      group("x", 0, 0, {lane("7", 10), lane("7", 20)}), group("x", 0, 1, {lane("8", 30), cut_off({}, 64)}),
      group("x", 1, 0, {lane("3", 10), lane("0.5", 40)}), group("x", 1, 1, {lane("3", 20), lane("3", 50)})};
  const ArmScore score = scores_of({"x"}, records, {.budgets = {15, 25, 64}})[0];
  EXPECT_EQ(score.questions, 2);
  EXPECT_EQ(score.lanes, 2);
  EXPECT_EQ(score.lanes_total, 4);
  EXPECT_EQ(score.tokens, 10 + 20 + 30 + 64 + 10 + 40 + 20 + 50);
  ASSERT_EQ(score.budgets.size(), 3U);
  const BudgetScore& at_15 = score.budgets[0];  // a: 7; b: 3
  EXPECT_DOUBLE_EQ(at_15.majority.value, 0.5);
  EXPECT_DOUBLE_EQ(at_15.pass.value, (1.0 / 4 + 0) / 2);
  EXPECT_DOUBLE_EQ(at_15.oracle.value, 0.5);
  EXPECT_DOUBLE_EQ(at_15.ended, (1.0 / 4 + 1.0 / 4) / 2);
  EXPECT_DOUBLE_EQ(at_15.mean_tokens, (10 + 15 + 15 + 15 + 10 + 15 + 15 + 15) / 8.0);
  const BudgetScore& at_64 = score.budgets[2];
  EXPECT_DOUBLE_EQ(at_64.majority.value, 0.5);
  EXPECT_DOUBLE_EQ(at_64.pass.value, (2.0 / 4 + 1.0 / 4) / 2);
  EXPECT_DOUBLE_EQ(at_64.oracle.value, 1);
  EXPECT_DOUBLE_EQ(at_64.ended, 7.0 / 8);
  ASSERT_EQ(score.by.size(), 2U);
  EXPECT_EQ(score.by[0].value, "9") << "numbers stand in their order";
  EXPECT_EQ(score.by[0].questions, 1);
  EXPECT_DOUBLE_EQ(score.by[0].majority[2], 1);
  EXPECT_DOUBLE_EQ(score.by[1].majority[2], 0);
}

TEST(Scores, OfAQuestionWithSeveralAnswersCountEachByItself) {
  const std::vector<EvalQuestion> questions = {
      {.text = "a", .truth = "(5, 18, 7)", .parts = {"5", "18", "7"}}};
  // The second lane errs in one place, the third in two, the fourth lists too few, the last one is cut off.
  const std::vector<EvalRecord> records = {
      group("x", 0, 0,
            {lane("(5, 18, 7)", 10), lane("(5, 18, 8)", 20), lane("(5, 19, 8)", 20), lane("(5, 18)", 20),
             cut_off({{.length = 12, .answer = "(6, 18, 7)"}}, 64)})};
  const std::vector<Truth> truths = truths_of(questions);
  const auto at_64 = [&](bool unfinished) {
    return score_arms(pair_arms(std::vector<std::string>{"x"}, records, truths), questions,
                      {.budgets = {64}, .unfinished = unfinished})[0]
        .budgets[0];
  };
  // Right: 5 in three of five lanes, 18 in two, 7 in one. Votes: 5 (3 of 3), 18 (2 of 3), 8 (2 of 3).
  const BudgetScore ended = at_64(false);
  EXPECT_DOUBLE_EQ(ended.pass.value, (3 + 2 + 1) / 15.0);
  EXPECT_DOUBLE_EQ(ended.majority.value, 2.0 / 3);
  EXPECT_DOUBLE_EQ(ended.oracle.value, 1);
  // With what the last lane had settled on: 5, 18 (3 of 4), and a tie of 7 and 8.
  const BudgetScore unfinished = at_64(true);
  EXPECT_DOUBLE_EQ(unfinished.pass.value, (3 + 3 + 2) / 15.0);
  EXPECT_DOUBLE_EQ(unfinished.majority.value, (1 + 1 + 0.5) / 3);

  // Whoever chooses a lane chooses its whole list, which is right in part.
  const ArmScore score = score_arms(pair_arms(std::vector<std::string>{"x"}, records, truths), questions,
                                    {.budgets = {15, 64}})[0];
  const auto first = std::ranges::find(score.ways, Way{.select = SelectionKind::first}, &WayScore::way);
  ASSERT_NE(first, score.ways.end());
  EXPECT_DOUBLE_EQ(first->right.value, 1) << "the shortest lane is the first";
  const QuestionLanes lanes({&records[0]}, truths[0]);
  const std::vector<LaneVote> votes = lanes.within(64, /*unfinished=*/true);
  const std::vector<double> shares = {1, 2.0 / 3, 1.0 / 3, 0, 2.0 / 3};
  for (size_t m = 0; m < shares.size(); ++m) EXPECT_DOUBLE_EQ(votes[m].share, shares[m]) << m;

  EXPECT_DOUBLE_EQ(rightness(records[0].lanes[1], truths[0]), 2.0 / 3);
  EXPECT_DOUBLE_EQ(rightness(records[0].lanes[3], truths[0]), 0);
  EXPECT_DOUBLE_EQ(rightness(records[0].lanes[4], truths[0]), 0);
}

TEST(Scores, CountNothingThatWasWrittenBehindTheBudget) {
  const std::vector<EvalRecord> records = {group("x", 0, 0, {lane("7", 16)}),
                                           group("x", 1, 0, {lane("1/2", 17)})};
  const ArmScore score = scores_of({"x"}, records, {.budgets = {15, 16, 17}})[0];
  EXPECT_DOUBLE_EQ(score.budgets[0].pass.value, 0);
  EXPECT_DOUBLE_EQ(score.budgets[1].pass.value, 0.5);
  EXPECT_DOUBLE_EQ(score.budgets[2].pass.value, 1);
}

TEST(Scores, CountTheSettledAnswersOfUnfinishedLanesOnlyIfAsked) {
  EvalLane changed_its_mind = lane("7", 60);
  changed_its_mind.settled = {{.length = 20, .answer = "8"}, {.length = 30, .answer = "7"}};
  const std::vector<EvalRecord> records = {
      group("x", 0, 0, {changed_its_mind}),
      group("x", 1, 0, {cut_off({{.length = 25, .answer = "0.5"}}, 64)})};
  const auto pass = [&](int32_t budget, bool unfinished) {
    return scores_of({"x"}, records, {.budgets = {budget}, .unfinished = unfinished})[0]
        .budgets[0]
        .pass.value;
  };
  EXPECT_EQ(pass(40, false), 0);
  EXPECT_EQ(pass(64, false), 0.5);
  EXPECT_EQ(pass(19, true), 0);
  EXPECT_EQ(pass(24, true), 0) << "8 is wrong, and the half is not there yet";
  EXPECT_EQ(pass(25, true), 0.5);
  EXPECT_EQ(pass(30, true), 1);
  EXPECT_EQ(pass(64, true), 1);
}

TEST(Scores, AreOfTheQuestionsThatEveryArmHasWhole) {
  const std::vector<EvalRecord> records = {
      group("x", 0, 0, {lane("7", 1)}),   group("x", 0, 1, {lane("7", 1)}),
      group("x", 1, 0, {lane("1/2", 1)}), group("y", 0, 0, {lane("8", 1)}),
      group("y", 1, 0, {lane("1/2", 1)}), group("z", 0, 0, {lane("7", 1)})};
  const auto scores = scores_of({"x", "y"}, records, {.budgets = {4}});
  ASSERT_EQ(scores.size(), 2U);
  EXPECT_EQ(scores[0].questions, 1) << "question b lacks a group of x";
  EXPECT_EQ(scores[0].budgets[0].majority.value, 1);
  EXPECT_EQ(scores[1].gain[0].value, -1);
  EXPECT_TRUE(scores_of({"x", "none"}, records, {.budgets = {4}}).empty());
}

TEST(Bootstrap, IntervalIsThatOfTheBinomialItResamples) {
  // 40 of 100 questions right: means of resamples are binomial / 100.
  std::vector<double> values(100, 0.0);
  std::fill(values.begin(), values.begin() + 40, 1.0);
  const auto quantile = [](double wanted) {
    double cumulative = 0;
    for (int k = 0; k <= 100; ++k) {
      cumulative += std::exp(std::lgamma(101) - std::lgamma(k + 1) - std::lgamma(101 - k) +
                             k * std::log(0.4) + (100 - k) * std::log(0.6));
      if (cumulative >= wanted) return k / 100.0;
    }
    return 1.0;
  };
  const Estimate share = Bootstrap(100, {.resamples = 20000, .seed = 3}).share(values);
  EXPECT_DOUBLE_EQ(share.value, 0.4);
  EXPECT_NEAR(share.low, quantile(0.025), 0.0101);
  EXPECT_NEAR(share.high, quantile(0.975), 0.0101);
  const Estimate sure = Bootstrap(5, {}).share(std::vector<double>(5, 0.25));
  EXPECT_EQ(sure.low, 0.25);
  EXPECT_EQ(sure.high, 0.25);
}

TEST(Bootstrap, OfADifferenceIsPaired) {
  const std::vector<EvalRecord> records = {group("x", 0, 0, {lane("7", 1)}), group("x", 1, 0, {lane("3", 1)}),
                                           group("y", 0, 0, {lane("7", 2)}),
                                           group("y", 1, 0, {lane("4", 2)})};
  const auto scores = scores_of({"x", "y"}, records, {.budgets = {4}});
  EXPECT_LT(scores[1].budgets[0].majority.low, scores[1].budgets[0].majority.high);
  EXPECT_EQ(scores[1].gain[0].low, 0) << "the arms are right about the same questions";
  EXPECT_EQ(scores[1].gain[0].high, 0);
}

TEST(Scores, TellTheTokensOfAllLanesAndTheSecondsOfTheSlowestGroup) {
  EvalRecord fast = group("x", 0, 0, {lane("7", 10), lane("7", 20)});
  fast.seconds = 2;
  fast.steps = 20;
  EvalRecord slow = group("x", 0, 1, {lane("8", 30), cut_off({}, 64)});
  slow.seconds = 6.4;
  slow.steps = 64;
  const ArmScore score = scores_of({"x"}, {fast, slow}, {.budgets = {16, 64}})[0];
  EXPECT_DOUBLE_EQ(score.budgets[0].total_tokens, 10 + 16 + 16 + 16);
  EXPECT_DOUBLE_EQ(score.budgets[0].seconds, 1.6) << "both do 16 steps, a tenth of a second each";
  EXPECT_DOUBLE_EQ(score.budgets[1].total_tokens, 10 + 20 + 30 + 64);
  EXPECT_DOUBLE_EQ(score.budgets[1].seconds, 6.4);
}

TEST(Scores, SayHowAnswersWereFound) {
  EvalLane boxed = lane("7", 1);
  boxed.answer_from = AnswerFrom::box;
  EvalLane last = lane("8", 1);
  last.answer_from = AnswerFrom::last_expression;
  const std::vector<EvalRecord> records = {group("x", 0, 0, {boxed, boxed, last, cut_off({}, 9)})};
  const ArmScore score = scores_of({"x"}, records, {.budgets = {9}})[0];
  ASSERT_EQ(score.sources.size(), 2U);
  EXPECT_EQ(score.sources[0].from, AnswerFrom::box);
  EXPECT_EQ(score.sources[0].lanes, 2);
  EXPECT_EQ(score.sources[0].right, 2);
  EXPECT_EQ(score.sources[1].from, AnswerFrom::last_expression);
  EXPECT_EQ(score.sources[1].right, 0);
}

TEST(Reliability, ErrorIsWorkedByHand) {
  // Bin 0.9-1: confidence 0.95, right 1/2, two claims. Bin 0.2-0.3: confidence 0.25, right 1, one claim.
  const std::vector<Claim> claims = {{0.90, 1}, {1.00, 0}, {0.25, 1}};
  const Reliability reliability = reliability_of(claims);
  ASSERT_EQ(reliability.bins.size(), 2U);
  EXPECT_DOUBLE_EQ(reliability.bins[0].confidence, 0.25);
  EXPECT_EQ(reliability.bins[0].count, 1);
  EXPECT_DOUBLE_EQ(reliability.bins[1].confidence, 0.95);
  EXPECT_DOUBLE_EQ(reliability.bins[1].right, 0.5);
  EXPECT_NEAR(reliability.error, (0.45 * 2 + 0.75 * 1) / 3, 1e-12);
  EXPECT_EQ(reliability_of({}).error, 0);
}

WayScore way_of(const ArmScore& score, const Way& way) {
  return *std::ranges::find(score.ways, way, &WayScore::way);
}

TEST(Ways, ChooseAsTheEngineDoes) {
  // a: 7 with 3 of 4 votes; the likeliest lane says 8 with confidence 0.5. b: nobody answers.
  const std::vector<EvalRecord> records = {
      group("x", 0, 0, {lane("7", 3, -2), lane("7", 4, -3), lane("7", 5, -4), lane("8", 2, std::log(0.5))}),
      group("x", 1, 0, {cut_off({}, 9), cut_off({}, 9), cut_off({}, 9), cut_off({}, 9)})};
  const ArmScore score = scores_of({"x"}, records, {.budgets = {9}})[0];
  const WayScore votes = way_of(score, {});
  EXPECT_DOUBLE_EQ(votes.right.value, 0.5) << "b counts as wrong";
  ASSERT_EQ(votes.reliability.bins.size(), 1U);
  EXPECT_EQ(votes.reliability.bins[0].count, 1);
  EXPECT_DOUBLE_EQ(votes.reliability.bins[0].confidence, 0.75);
  EXPECT_DOUBLE_EQ(votes.reliability.error, 0.25);
  const WayScore weighted = way_of(score, {.weight = VoteWeight::logprob});
  EXPECT_DOUBLE_EQ(weighted.right.value, 0) << "8 weighs 0.5, and 7 exp(-2) + exp(-3) + exp(-4) = 0.203";
  EXPECT_NEAR(weighted.reliability.bins[0].confidence, 0.5 / 0.7034, 1e-3);
  EXPECT_DOUBLE_EQ(way_of(score, {.select = SelectionKind::first}).right.value, 0) << "8 ended first";
  EXPECT_EQ(std::ranges::find(score.ways, Way{.weight = VoteWeight::self_certainty}, &WayScore::way),
            score.ways.end())
      << "certainty was not measured";
}

TEST(Ways, AreWeighedWhereAnyQuestionHasSeveralLanes) {
  EvalLane added = lane("0.5", 9);
  added.start_step = 4;
  const std::vector<EvalRecord> one = {group("x", 0, 0, {lane("7", 1)}), group("x", 1, 0, {lane("3", 1)})};
  const std::vector<EvalRecord> more = {group("x", 0, 0, {lane("7", 1)}),
                                        group("x", 1, 0, {lane("3", 1, -3), added})};
  const Way weighted{.weight = VoteWeight::logprob};
  const auto ways_of = [](const std::vector<EvalRecord>& records) {
    return scores_of({"x"}, records, {.budgets = {9}})[0].ways;
  };
  EXPECT_EQ(std::ranges::count(ways_of(one), weighted, &WayScore::way), 0);
  EXPECT_EQ(std::ranges::count(ways_of(more), weighted, &WayScore::way), 1);
}

TEST(Ways, ByCertaintyAndByAVerifierUseWhatTheRecordsHave) {
  const auto sure = [](const std::string& answer, const Certainty& certainty, double score) {
    EvalLane made = lane(answer, 4);
    made.certainty = certainty;
    made.verifier_score = score;
    return made;
  };
  // 8 twice, 7 once: the majority is wrong.
  const std::vector<EvalRecord> records = {
      group("x", 0, 0, {sure("8", {2, 1}, 0.2), sure("8", {3, 1}, 0.3), sure("7", {6, 1.5}, 0.9)})};
  const ArmScore score = scores_of({"x"}, records, {.budgets = {9}})[0];
  EXPECT_EQ(way_of(score, {}).right.value, 0);
  EXPECT_EQ(way_of(score, {.weight = VoteWeight::self_certainty}).right.value, 1) << "6 against 2 + 3";
  EXPECT_EQ(way_of(score, {.weight = VoteWeight::lowest_window}).right.value, 0) << "1.5 against 1 + 1";
  EXPECT_EQ(way_of(score, {.select = SelectionKind::verifier}).right.value, 1);
}

}  // namespace
}  // namespace lanerope::eval
