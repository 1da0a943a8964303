// SPDX-License-Identifier: Apache-2.0
// What a policy is shown, what it may do, and how that is told.
#include <cmath>

#include "tests/engine/policies/policy_fixture.h"

namespace lanerope::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

using Acts = Policies;

std::string story_of(const support::GroupRun& run, int32_t from_step) {
  std::string story;
  for (const Event& event : run.events) {
    if (event.kind == EventKind::token || event.step < from_step) continue;
    story += std::string(name(event.kind)) + (event.lane < 0 ? "" : std::to_string(event.lane)) + " ";
  }
  return story;
}

TEST_F(Acts, AreEventsBeforeWhatComesOfThem) {
  Request request = writing(2, 16);
  request.reserved_lanes = 2;
  const support::GroupRun of =
      run(request, {own_policy("mine", [](const GroupStatus& group, LaneActions& actions) {
            if (group.clock() == 3) {
              actions.retire(1, "it is dull");
              EXPECT_EQ(actions.add({.parent = 0}, "twice as good"), 2);
              EXPECT_EQ(actions.add({.text = "Hm"}, ""), 3);
              actions.push(0, " and", "more");
            }
            if (group.clock() == 6) actions.end(FinishReason::length, "enough");
          })});
  EXPECT_THAT(acts(of), ElementsAre("3 retire 1", "3 fork 2", "3 spawn 3", "3 push 0", "6 end -1"));
  EXPECT_EQ(
      story_of(of, 3),
      "policy1 lane_finished1 policy2 lane_started2 policy3 lane_started3 policy0 policy lane_finished0 "
      "lane_finished2 lane_finished3 group_finished ");
  const std::vector<Event> told = of.of(EventKind::policy);
  ASSERT_EQ(told.size(), 5U);
  EXPECT_EQ(told[0].act->policy, "mine");
  EXPECT_EQ(told[0].act->reason, "it is dull");
  EXPECT_EQ(told[1].act->parent, 0);
  EXPECT_EQ(told[2].act->text, "Hm");
  EXPECT_EQ(told[3].act->text, " and");
  EXPECT_EQ(of.result.lanes[0].finish, FinishReason::length);
  EXPECT_EQ(of.result.lanes[1].finish, FinishReason::retired);
  EXPECT_THAT(of.result.lanes[0].text, HasSubstr(" and"));
  EXPECT_THAT(of.result.lanes[3].text, StartsWith("Hm"));
}

TEST_F(Acts, OnALaneThatHasEndedAreRefusedAndTold) {
  std::string refusal;
  const support::GroupRun of =
      run(writing(2, 8), {own_policy("mine", [&](const GroupStatus& group, LaneActions& actions) {
            if (group.clock() == 2) actions.retire(1, "first");
            if (group.clock() != 3) return;
            try {
              actions.push(1, "x", "second");
            } catch (const InvalidRequest& error) {
              refusal = error.what();
            }
          })});
  EXPECT_EQ(refusal, "lane 1 has already ended");
  ASSERT_EQ(of.of(EventKind::policy).size(), 2U);
  EXPECT_EQ(of.of(EventKind::policy)[1].act->refused, refusal);
  EXPECT_EQ(of.result.acts.at(1).refused, refusal);
  EXPECT_EQ(of.result.lanes[0].tokens.size(), 8U) << "the group went on";
}

TEST_F(Acts, ThatAddALaneNeedOneThatIsReserved) {
  const support::GroupRun of =
      run(writing(1, 8), {own_policy("mine", [&](const GroupStatus& group, LaneActions& actions) {
            EXPECT_FALSE(group.takes_lane());
            if (group.clock() != 2) return;
            EXPECT_THROW(actions.add({.parent = 0}, ""), InvalidRequest);
          })});
  EXPECT_EQ(of.result.lanes.size(), 1U);
}

TEST_F(Acts, OfAPolicyThatThrowsEndItsGroupAlone) {
  support::Runner runner(engine);
  Request bad = writing(2, 8);
  bad.policies = {
      own_policy("mine", [](const GroupStatus&, LaneActions& actions) { actions.retire(7, ""); })};
  const GroupId failing = engine.submit(bad);
  const GroupId other = engine.submit(writing(1, 8));
  runner.finish();
  EXPECT_EQ(runner.run(failing).of(EventKind::group_finished)[0].finish, FinishReason::failed);
  EXPECT_THROW(rethrow_failure(runner.run(failing).result), InvalidRequest);
  EXPECT_EQ(runner.run(other).result.lanes[0].tokens.size(), 8U);
}

TEST_F(Acts, BehindTheEndOfTheGroupAreNone) {
  const support::GroupRun of =
      run(writing(2, 8), {own_policy("mine", [](const GroupStatus& group, LaneActions& actions) {
            if (group.clock() != 2) return;
            actions.end(FinishReason::retired, "");
            EXPECT_THROW(actions.retire(0, ""), InvalidRequest);
          })});
  EXPECT_THAT(acts(of), ElementsAre("2 end -1"));
}

TEST_F(Acts, FollowFromWhatALaneIsShownAs) {
  Request request = writing(1, 12);
  request.lane_texts = {"So"};
  std::vector<DrawnToken> drawn;
  std::string text;
  run(request, {own_policy("mine", [&](const GroupStatus& group, LaneActions&) {
        const LaneStatus lane = group.lane(0);
        EXPECT_EQ(lane.tokens, group.clock() + 1);
        EXPECT_EQ(lane.left,
                  lane.live() ? 12 - lane.tokens - (lane.forced ? n_tokens("So") - lane.tokens : 0) : 0);
        EXPECT_EQ(lane.drawn.has_value(), lane.tokens > n_tokens("So"));
        if (lane.drawn) drawn.push_back(*lane.drawn);
        text = lane.text;
      })});
  const support::GroupRun plain = support::run_group(engine, request);
  EXPECT_EQ(plain.result.lanes[0].text.substr(0, text.size()), text);
  // The distributions once more, from the formulas and all logits.
  const std::vector<TokenId>& tokens = plain.result.lanes[0].tokens;
  const auto logits =
      support::all_logits(engine, {.prompt_tokens = resolve(*model, request)->prompt, .lanes = {tokens}})
          .front();
  const auto first = static_cast<size_t>(n_tokens("So"));
  ASSERT_GE(drawn.size(), 5U);
  for (size_t i = 0; i < drawn.size(); ++i) {
    const std::vector<double>& row = logits[first + i];
    double sum = 0;
    for (const double logit : row) sum += std::exp(logit);
    double entropy = 0;
    std::vector<double> log_probabilities;
    for (const double logit : row) {
      log_probabilities.push_back(logit - std::log(sum));
      entropy -= std::exp(log_probabilities.back()) * log_probabilities.back();
    }
    EXPECT_EQ(drawn[i].token, tokens[first + i]);
    EXPECT_NEAR(drawn[i].logprob, log_probabilities[drawn[i].token], 2e-3);
    EXPECT_NEAR(drawn[i].second.logprob, log_probabilities[drawn[i].second.token], 2e-3);
    EXPECT_NEAR(drawn[i].entropy, entropy, 5e-3);
    std::ranges::sort(log_probabilities, std::greater{});
    EXPECT_NEAR(drawn[i].likeliest.logprob, log_probabilities[0], 2e-3);
    EXPECT_NEAR(drawn[i].second.logprob, log_probabilities[1], 2e-3);
    double likeliest = 0;
    for (int k = 0; k < 20; ++k) likeliest -= log_probabilities[k] / 20;
    EXPECT_NEAR(drawn[i].confidence, likeliest, 2e-3);
  }
}

TEST_F(Acts, AreTheSameUnderTheSameSeedWhateverRunsBeside) {
  Request request = writing(4, 48);
  request.policies = {parse_policy("fork-on-doubt:gap=1,apart=7,most=3"),
                      parse_policy("prune:window=4,ratio=0.97"), parse_policy("budget:tokens=150")};
  const support::GroupRun alone = support::run_group(engine, request);
  EXPECT_GE(alone.result.acts.size(), 4U);
  support::Runner runner(engine);
  engine.submit(writing(3, 20));
  const GroupId again = engine.submit(request);
  runner.finish();
  const support::GroupRun& beside = runner.run(again);
  EXPECT_EQ(acts(beside), acts(alone));
  ASSERT_EQ(beside.result.lanes.size(), alone.result.lanes.size());
  for (size_t m = 0; m < alone.result.lanes.size(); ++m)
    EXPECT_EQ(beside.result.lanes[m].tokens, alone.result.lanes[m].tokens) << m;
}

}  // namespace
}  // namespace lanerope::engine
