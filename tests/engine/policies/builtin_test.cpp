// SPDX-License-Identifier: Apache-2.0
// Each built-in policy acts where it should, and nowhere else.
#include <algorithm>
#include <functional>
#include <map>
#include <numeric>

#include "engine/policies/finish.h"
#include "engine/policy_table.h"
#include "tests/engine/policies/policy_fixture.h"

namespace lanerope::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using BuiltIn = Policies;

TEST_F(BuiltIn, ConsensusEndsTheGroupInTheStepInWhichLanesAgree) {
  Request request = writing(4, 64);
  request.lane_texts = {"\\boxed{7}", "", "\\boxed{8}", "Well, \\boxed{ 7.0 }"};
  const int32_t step = n_tokens("Well, \\boxed{ 7.0 }") - 1;
  const support::GroupRun of = run(request, {parse_policy("consensus:lanes=2")});
  EXPECT_THAT(acts(of), ElementsAre(std::to_string(step) + " end -1"));
  EXPECT_EQ(of.result.acts[0].reason, "2 lanes answer 7");
  EXPECT_TRUE(of.result.consensus);
  EXPECT_EQ(of.result.lanes[1].finish, FinishReason::consensus);
  EXPECT_THAT(acts(run(request, {parse_policy("consensus")})), IsEmpty())
      << "two of four are not more than half";
  request.lane_texts[1] = "\\boxed{7}";
  EXPECT_EQ(run(request, {parse_policy("consensus")}).result.acts.size(), 1U);
}

// Lanes that are added write nothing here and end, so they have no answer.
TEST_F(BuiltIn, AdaptiveAddsLanesWhileNoAnswerHasEnoughVotes) {
  const Request request = saying({"\\boxed{7}", "It is \\boxed{8}"});
  const int32_t end = n_tokens("It is \\boxed{8}");
  const support::GroupRun of = run(request, {parse_policy("adaptive:most=3")});
  const auto at = [](int32_t step, int32_t lane) {
    return std::to_string(step) + " spawn " + std::to_string(lane);
  };
  EXPECT_THAT(acts(of), ElementsAre(at(end, 2), at(end, 3), at(end, 4))) << "two at a time, three in all";
  EXPECT_EQ(of.result.acts[0].reason, "no answer has more than 1 of the 2 votes that are wanted");
  EXPECT_EQ(of.result.lanes.size(), 5U);
  EXPECT_EQ(of.result.lanes[2].finish, FinishReason::end);
  EXPECT_THAT(acts(run(request, {parse_policy("adaptive:votes=1")})), ElementsAre(HasSubstr("end -1")))
      << "one answer is enough then, and nobody need write on";
}

TEST_F(BuiltIn, AdaptiveEndsTheGroupAsSoonAsLanesAgree) {
  Request request = writing(3, 64);
  request.lane_texts = {"\\boxed{7}", "", "Well, \\boxed{ 7.0 }"};
  const support::GroupRun of = run(request, {parse_policy("adaptive")});
  EXPECT_THAT(acts(of), ElementsAre(std::to_string(n_tokens("Well, \\boxed{ 7.0 }") - 1) + " end -1"));
  EXPECT_EQ(of.result.lanes.size(), 3U);
}

TEST_F(BuiltIn, BudgetIsOnePurseThatIsNeverOverspent) {
  EXPECT_THROW(run(writing(4, 64), {parse_policy("budget:tokens=3")}), InvalidRequest)
      << "less than a token a lane";
  for (const int32_t purse : {4, 40, 41, 42, 43}) {
    const support::GroupRun of =
        run(writing(4, 64), {parse_policy("budget:tokens=" + std::to_string(purse))});
    int32_t spent = 0;
    for (const LaneResult& lane : of.result.lanes) {
      spent += static_cast<int32_t>(lane.tokens.size());
      EXPECT_EQ(lane.finish, FinishReason::length);
    }
    EXPECT_EQ(spent, purse / 4 * 4) << "as many whole steps of four lanes as the purse pays";
    EXPECT_EQ(of.result.acts.size(), 1U);
  }
  // What lanes that ended early leave is the others'.
  Request request = saying({"7", "8", std::string(40, 'z')});
  const support::GroupRun of = run(request, {parse_policy("budget:tokens=30")});
  EXPECT_EQ(of.result.lanes[2].tokens.size(),
            30U - of.result.lanes[0].tokens.size() - of.result.lanes[1].tokens.size());
}

// The lane and step that prune's definition gives, from the confidences of lanes that nobody prunes.
std::vector<std::string> pruned(const std::map<int32_t, std::vector<double>>& confidences, size_t window,
                                double ratio, size_t keep, size_t steps) {
  std::vector<std::string> found;
  std::map<int32_t, std::vector<double>> live = confidences;
  for (size_t step = window - 1; step < steps; ++step) {
    while (live.size() > keep) {
      std::map<double, int32_t> means;
      for (const auto& [lane, of] : live) {
        const auto end = of.begin() + static_cast<std::ptrdiff_t>(step) + 1;
        means[std::accumulate(end - static_cast<std::ptrdiff_t>(window), end, 0.0) /
              static_cast<double>(window)] = lane;
      }
      const auto [least, lane] = *means.begin();
      double others = -least;
      for (const auto& [mean, ignored] : means) others += mean;
      if (least >= ratio * others / static_cast<double>(live.size() - 1)) break;
      found.push_back(std::to_string(step) + " retire " + std::to_string(lane));
      live.erase(lane);
    }
  }
  return found;
}

TEST_F(BuiltIn, PruneRetiresTheLaneThatIsLessSureThanTheOthers) {
  const Request request = writing(6, 60);
  std::map<int32_t, std::vector<double>> confidences;
  run(request, {own_policy("watch", [&](const GroupStatus& group, LaneActions&) {
        for (int32_t m = 0; m < group.n_lanes(); ++m)
          confidences[m].push_back(group.lane(m).drawn->confidence);
      })});
  size_t acted = 0;
  for (const auto& [window, ratio, keep] :
       {std::tuple{8, 0.95, 2}, {5, 0.97, 3}, {16, 0.9, 2}, {8, 0.2, 2}}) {
    const support::GroupRun of =
        run(request, {parse_policy("prune:window=" + std::to_string(window) +
                                   ",ratio=" + std::to_string(ratio) + ",keep=" + std::to_string(keep))});
    const auto expected = pruned(confidences, static_cast<size_t>(window), ratio, static_cast<size_t>(keep),
                                 confidences[0].size());
    EXPECT_EQ(acts(of), expected) << window << " " << ratio;
    acted += expected.size();
    for (const PolicyAct& act : of.result.acts) {
      EXPECT_EQ(of.result.lanes[act.lane].finish, FinishReason::retired);
      EXPECT_EQ(of.result.lanes[act.lane].tokens.size(), static_cast<size_t>(act.step) + 1);
    }
  }
  EXPECT_GE(acted, 3U) << "else this shows nothing";
}

TEST_F(BuiltIn, FinishLeadsALaneToItsAnswerOnceWhereItsTokensRunOut) {
  const support::GroupRun of = run(writing(2, 60), {parse_policy("finish:at=30,text= So: ")});
  EXPECT_THAT(acts(of), ElementsAre("29 push 0", "29 push 1"));
  EXPECT_EQ(of.result.acts[0].reason, "30 tokens are left");
  EXPECT_THAT(of.result.lanes[0].text, HasSubstr(" So: "));
}

TEST_F(BuiltIn, NudgeGivesLanesATextEverySoManyTokensThatTheyDraw) {
  const int32_t pushed = n_tokens(" Same?");
  Request request = writing(2, 64);
  request.lane_texts = {"", "\\boxed{7}"};
  const support::GroupRun of = run(request, {parse_policy("nudge:every=20,text= Same?")});
  const auto at = [](int32_t step) { return std::to_string(step) + " push 0"; };
  EXPECT_THAT(acts(of), ElementsAre(at(19), at(39 + pushed))) << "and not the lane that has answered";
  EXPECT_EQ(of.result.acts[0].reason, "20 tokens since it began or was last asked");
  EXPECT_THAT(of.result.lanes[0].text, HasSubstr(" Same?"));
}

TEST_F(BuiltIn, NudgeIsRefusedWhereTheBudgetEnds) {
  const support::GroupRun of = run(writing(1, 22), {parse_policy("nudge:every=20,text= Is it the same?")});
  ASSERT_EQ(of.result.acts.size(), 1U);
  EXPECT_THAT(of.result.acts[0].refused, HasSubstr("left of its budget"));
  EXPECT_EQ(of.result.lanes[0].tokens.size(), 22U) << "it writes on";
}

TEST_F(BuiltIn, FinishIsRefusedOnceWhereItsTextHasNoRoom) {
  const support::GroupRun of =
      run(writing(2, 6), {parse_policy("finish:at=30,text= And so the answer is: ")});
  EXPECT_THAT(acts(of), ElementsAre("0 push 0", "0 push 1"));
  EXPECT_THAT(of.result.acts[0].refused, HasSubstr("left of its budget"));
  EXPECT_EQ(of.result.lanes[0].finish, FinishReason::length) << "it writes on";
}

TEST_F(BuiltIn, FinishLeavesALaneThatHasItsAnswer) {
  Request request = writing(2, 40);
  request.lane_texts = {"\\boxed{7}"};
  EXPECT_THAT(acts(run(request, {parse_policy("finish:at=20,text= So: ")})), ElementsAre("19 push 1"));
}

TEST_F(BuiltIn, FinishCountsTheGroupsPurseToo) {
  const support::GroupRun of =
      run(writing(4, 200), {parse_policy("budget:tokens=80"), parse_policy("finish:at=8,text= So: ")});
  EXPECT_THAT(acts(of), ElementsAre("11 push 0", "11 push 1", "11 push 2", "11 push 3", "19 end -1"));
}

TEST_F(BuiltIn, FinishSpeaksTheFormThatThePromptAsksFor) {
  EXPECT_EQ(answer_lead("What is 3 + 4?"), "\n\nFinal answer:");
  EXPECT_EQ(answer_lead("Put your answer into \\boxed{}."), "\n\nFinal answer: \\boxed{");
  EXPECT_EQ(answer_lead("End with a line \"#### answer\"."), "\n#### ");
  EXPECT_EQ(answer_lead("Q: 1 #### 1\nNow with \\boxed{}."), "\n\nFinal answer: \\boxed{") << "the later one";
}

TEST_F(BuiltIn, ForkOnDoubtAddsALaneThatTakesTheOtherToken) {
  const Request request = writing(2, 40);
  std::map<int32_t, DrawnToken> drawn;  // of lane 0 and 1 in step 6
  int32_t best = -1;
  run(request, {own_policy("watch", [&](const GroupStatus& group, LaneActions&) {
        if (group.clock() != 6) return;
        for (int32_t m = 0; m < 2; ++m) drawn[m] = *group.lane(m).drawn;
        best = group.lane(1).mean_logprob > group.lane(0).mean_logprob ? 1 : 0;
      })});
  const support::GroupRun of = run(request, {parse_policy("fork-on-doubt:gap=1,apart=6,most=1")});
  EXPECT_THAT(acts(of), ElementsAre("6 fork 2"));
  EXPECT_EQ(of.result.acts[0].parent, best);
  const DrawnToken& token = drawn[best];
  const TokenId other = token.token == token.likeliest.token ? token.second.token : token.likeliest.token;
  const LaneResult& fork = of.result.lanes.at(2);
  const LaneResult& parent = of.result.lanes.at(best);
  EXPECT_EQ(fork.start_step, 6);
  EXPECT_EQ(fork.tokens.at(0), parent.tokens.at(5)) << "the token before the doubtful one is fed again";
  EXPECT_EQ(fork.tokens.at(1), other);
  EXPECT_EQ(parent.tokens.at(6), token.token) << "and its parent goes on";
  EXPECT_EQ(of.result.lanes[best].tokens.size(), 40U);
}

TEST_F(BuiltIn, ForkOnDoubtKeepsItsNumbers) {
  EXPECT_THAT(acts(run(writing(2, 40), {parse_policy("fork-on-doubt:gap=0,apart=0")})), IsEmpty());
  const support::GroupRun of = run(writing(2, 40), {parse_policy("fork-on-doubt:gap=1,apart=10,most=3")});
  EXPECT_THAT(acts(of), ElementsAre("10 fork 2", "20 fork 3", "30 fork 4"));
}

// A group whose lanes are written down.
class WrittenGroup final : public GroupStatus, public LaneActions {
 public:
  struct Lane {
    FinishReason finish = FinishReason::none;
    std::optional<std::string> answer = {};
    double mean_logprob = -1;
    std::optional<DrawnToken> drawn = {};
  };
  std::vector<Lane> lanes = {};
  ResolvedRequest resolved = {};
  std::vector<std::string> done = {};  // "fork 3: why"

  const ResolvedRequest& request() const override { return resolved; }
  int32_t clock() const override { return 1; }
  int32_t n_lanes() const override { return static_cast<int32_t>(lanes.size()); }
  LaneStatus lane(int32_t index) const override {
    return {.finish = lanes[index].finish,
            .generated = 1,
            .mean_logprob = lanes[index].mean_logprob,
            .drawn = lanes[index].drawn};
  }
  std::optional<std::string> answer(int32_t lane) const override { return lanes[lane].answer; }
  std::vector<Vote> votes() const override {
    std::map<std::string, int32_t> counts;
    for (const Lane& lane : lanes) {
      if (lane.answer) ++counts[*lane.answer];
    }
    std::vector<Vote> votes;
    for (const auto& [answer, count] : counts) votes.push_back({.answer = answer, .count = count});
    std::ranges::sort(votes, std::greater{}, &Vote::count);
    return votes;
  }
  bool takes_lane() const override { return true; }

  void retire(int32_t, const std::string&) override { done.emplace_back("retire"); }
  void push(int32_t, const std::string&, const std::string&) override { done.emplace_back("push"); }
  int32_t add(const SpawnOptions& options, const std::string& reason) override {
    done.push_back("fork " + std::to_string(options.parent) + ": " + reason);
    lanes.push_back({});
    return n_lanes() - 1;
  }
  void end(FinishReason, const std::string&) override { done.emplace_back("end"); }
  void note(const std::string&) override {}
};

TEST_F(BuiltIn, ForkOnDoubtForcesNoEndAndNothingThatABiasIsAgainst) {
  const auto forks = [&](TokenId second, std::vector<LogitBias> bias) {
    WrittenGroup group;
    group.resolved.model = model.get();
    group.resolved.sampling.logit_bias = std::move(bias);
    group.lanes = {{.drawn = DrawnToken{.token = 5,
                                        .logprob = -0.7F,
                                        .likeliest = {.token = 5, .logprob = -0.7F},
                                        .second = {.token = second, .logprob = -0.71F}}}};
    const auto policy =
        make_policy(resolve_policy(parse_policy("fork-on-doubt:gap=1,apart=0")), group.resolved);
    policy->after_step(group, group);
    return group.done.size();
  };
  EXPECT_EQ(forks(6, {}), 1U);
  EXPECT_EQ(forks(end_token(), {}), 0U);
  EXPECT_EQ(forks(6, {{.token = 6, .bias = -100}}), 0U);
  EXPECT_EQ(forks(6, {{.token = 7, .bias = -100}}), 1U);
}

TEST_F(BuiltIn, ForkOnDoubtIsRefusedWhereTheFormatForbidsTheOtherToken) {
  Request request = writing(2, 60);
  request.ignore_end = false;
  request.format = {.kind = FormatKind::regex, .text = "[ab]{30}"};
  const support::GroupRun of = run(request, {parse_policy("fork-on-doubt:gap=1,apart=6,most=1")});
  ASSERT_FALSE(of.result.acts.empty());
  EXPECT_THAT(of.result.acts[0].refused, HasSubstr("the answer's format"));
  for (const LaneResult& lane : of.result.lanes) EXPECT_EQ(lane.text.size(), 30U) << "the group goes on";
}

std::vector<std::string> refilled(const std::vector<WrittenGroup::Lane>& lanes,
                                  const std::string& settings = "") {
  WrittenGroup group;
  group.lanes = lanes;
  const PolicyChoice choice = resolve_policy(parse_policy("refill" + settings));
  const auto refill = make_policy(choice, group.resolved);
  for (int step = 0; step < 3; ++step) refill->after_step(group, group);
  return group.done;
}

TEST(Refill, ReplacesALaneThatEndedWithAnotherAnswerByAForkOfTheLikeliest) {
  const std::vector<WrittenGroup::Lane> lanes = {{FinishReason::end, "7"}, {FinishReason::none, "7.0"},
                                                 {FinishReason::end, "8"}, {FinishReason::none, {}, -0.3},
                                                 {FinishReason::stop, {}}, {FinishReason::length, "9"}};
  EXPECT_THAT(refilled(lanes), IsEmpty()) << "7 and 7.0 are two spellings here, so nothing is agreed";
  std::vector<WrittenGroup::Lane> agreed = lanes;
  agreed[1].answer = "7";
  EXPECT_THAT(refilled(agreed), ElementsAre("fork 3: lane 3 answered 8, and 7 is what most answer",
                                            "fork 3: lane 5 gave no answer, and 7 is what most answer"))
      << "and not a lane that was cut off, nor any twice";
  EXPECT_EQ(refilled(agreed, ":most=1").size(), 1U);
  EXPECT_THAT(refilled(agreed, ":votes=3"), IsEmpty());
  agreed[1].finish = agreed[3].finish = FinishReason::end;
  EXPECT_THAT(refilled(agreed), IsEmpty()) << "nobody writes any more";
}

}  // namespace
}  // namespace lanerope::engine
