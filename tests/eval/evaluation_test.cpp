// SPDX-License-Identifier: Apache-2.0
#include "eval/evaluation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "eval/metrics.h"
#include "tests/support/engine_run.h"
#include "tests/support/random_models.h"

namespace lanerope::eval {
namespace {

// Ends a lane now and then, so that lengths differ.
std::shared_ptr<const Model> model() {
  static const std::shared_ptr<const Model> loaded = support::load_model(
      tools::RandomModel{.n_layer = 2, .width = 64, .n_ffn = 96, .n_vocab = 400, .output_gain = 1, .seed = 5},
      BackEnd::kernels);
  return loaded;
}

const std::vector<EvalQuestion> questions = {{.text = "How many?", .truth = "7"},
                                             {.text = "And how many then?", .truth = "8"},
                                             {.text = "Why?", .truth = "9"}};

EvalPlan plan_of(int32_t budget) {
  return {.lanes_total = 4,
          .budget = budget,
          .sampling = {.temperature = 1.5, .top_k = 0, .top_p = 1, .min_p = 0},
          .prompt = [](const EvalQuestion& question) { return Prompt{.text = question.text}; }};
}

using Key = std::pair<int64_t, int32_t>;
std::map<Key, EvalRecord> records_of(const std::string& arm, const EvalPlan& plan,
                                     const std::vector<EvalRecord>& done = {}) {
  std::map<Key, EvalRecord> records;
  evaluate_arm(model(), {.arm = parse_arm(arm), .questions = questions, .done = done}, plan,
               [&](const EvalRecord& record) {
                 EXPECT_TRUE(records.emplace(Key{record.question, record.group}, record).second)
                     << "once each";
               });
  return records;
}

void expect_same(const std::map<Key, EvalRecord>& a, const std::map<Key, EvalRecord>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (const auto& [key, record] : a)
    EXPECT_EQ(record.lanes, b.at(key).lanes) << key.first << "," << key.second;
}

TEST(Evaluation, GivesEveryQuestionTheSameNumberOfLanes) {
  EXPECT_EQ(records_of("independent", plan_of(8)).size(), 12U);
  EXPECT_EQ(records_of("two:n=2", plan_of(8)).size(), 6U);
  const auto four = records_of("lanerope", plan_of(8));
  EXPECT_EQ(four.size(), 3U);
  EXPECT_EQ(four.at({0, 0}).lanes.size(), 4U);
}

TEST(Evaluation, ReadAtASmallerBudgetIsARunWithThatBudget) {
  for (const char* arm : {"independent", "closed", "lanerope:init=rope", "beam:width=3"}) {
    const auto large = records_of(arm, plan_of(32));
    const auto small = records_of(arm, plan_of(16));
    const std::string name = parse_arm(arm).name;
    std::vector<EvalRecord> of_large;
    std::vector<EvalRecord> of_small;
    for (const auto& [key, record] : large) of_large.push_back(record);
    for (const auto& [key, record] : small) of_small.push_back(record);
    const auto score_of = [&](const std::vector<EvalRecord>& records) {
      const std::vector<std::string> arms = {name};
      return score_arms(pair_arms(arms, records, truths_of(questions)), questions,
                        {.budgets = {16}, .unfinished = true})[0];
    };
    const ArmScore a = score_of(of_large);
    const ArmScore b = score_of(of_small);
    EXPECT_EQ(a.budgets[0].ended, b.budgets[0].ended) << arm;
    EXPECT_EQ(a.budgets[0].mean_tokens, b.budgets[0].mean_tokens) << arm;
    EXPECT_EQ(a.budgets[0].pass.value, b.budgets[0].pass.value) << arm;
    if (name == "beam") continue;
    for (const auto& [key, record] : small) {
      for (size_t m = 0; m < record.lanes.size(); ++m) {
        const EvalLane& cut = large.at(key).lanes[m];
        const EvalLane& lane = record.lanes[m];
        EXPECT_EQ(lane.ended, cut.ended && cut.length <= 16);
        // The last bytes of a lane that was cut off may be half a character.
        const size_t sure = lane.text.size() - (lane.ended ? 0 : std::min<size_t>(lane.text.size(), 4));
        EXPECT_EQ(cut.text.substr(0, sure), lane.text.substr(0, sure)) << arm;
      }
    }
  }
}

TEST(Evaluation, OfManyGroupsAtOnceIsThatOfOneAtATime) {
  for (const char* arm : {"independent", "lanerope", "groupthink", "hogwild"}) {
    EvalPlan plan = plan_of(16);
    plan.parallel = 32;
    const auto together = records_of(arm, plan);
    plan.parallel = 1;
    expect_same(records_of(arm, plan), together);
  }
}

TEST(Evaluation, AsksOnlyWhatIsMissing) {
  const auto all = records_of("two:n=2", plan_of(12));
  const std::vector<EvalRecord> done = {all.at({0, 0}), all.at({1, 1})};
  auto rest = records_of("two:n=2", plan_of(12), done);
  EXPECT_EQ(rest.size(), 4U);
  for (const EvalRecord& record : done) rest.emplace(Key{record.question, record.group}, record);
  expect_same(rest, all);
}

TEST(Evaluation, StopsWhenAsked) {
  EvalPlan plan = plan_of(12);
  plan.parallel = 2;
  int steps = 0;
  plan.stopped = [&] { return ++steps > 20; };
  EXPECT_LT(records_of("independent", plan).size(), 12U);
}

TEST(Evaluation, CountsNoTimeOfACommandThatJudges) {
  constexpr double judging = 0.5;
  EvalPlan plan = plan_of(16);
  plan.lanes_total = 2;
  plan.stop = {"a", "e", "i", "o", "s", "t"};  // lanes end soon
  plan.judge = {.command = "sleep 0.5; echo 1"};
  std::vector<EvalQuestion> programs = questions;
  for (EvalQuestion& question : programs) question.kind = AnswerKind::code;
  std::vector<EvalRecord> records;
  const ArmTiming timing = evaluate_arm(model(), {.arm = parse_arm("independent"), .questions = programs},
                                        plan, [&](const EvalRecord& record) { records.push_back(record); });
  ASSERT_EQ(records.size(), 6U);
  int passed = 0;
  for (const EvalRecord& record : records) {
    const EvalLane& lane = record.lanes[0];
    EXPECT_EQ(lane.passed, lane.ended && lane.answer);
    passed += *lane.passed ? 1 : 0;
    EXPECT_LT(record.seconds, judging);
  }
  ASSERT_GT(passed, 1);
  EXPECT_LT(timing.seconds, passed * judging);
}

TEST(Evaluation, TimesItsSteps) {
  const ArmTiming timing = evaluate_arm(model(), {.arm = parse_arm("lanerope:tag="), .questions = questions},
                                        plan_of(16), [](const EvalRecord&) {});
  EXPECT_EQ(timing.arm, "lanerope");
  EXPECT_GT(timing.seconds, 0);
  EXPECT_GE(timing.steps, 16);
  ASSERT_FALSE(timing.at.empty());
  EXPECT_LE(timing.at.back().lanes, 12) << "three questions of four lanes";
}

TEST(Evaluation, CountsLanesThatAPolicyAdds) {
  const std::string arm = "mine:n=2,coupling=independent,tag=,policy=fork-on-doubt:gap=1;apart=5;most=1";
  std::vector<EvalRecord> records;
  for (const auto& [key, record] : records_of(arm, plan_of(12))) records.push_back(record);
  ASSERT_EQ(records.size(), 6U) << "two groups a question";
  int64_t tokens = 0;
  for (const EvalRecord& record : records) {
    ASSERT_EQ(record.lanes.size(), 3U);
    const EvalLane& fork = record.lanes[2];
    EXPECT_EQ(fork.start_step, 5);
    EXPECT_EQ(fork.tokens(), fork.length - 5) << "from where it joined";
    EXPECT_EQ(fork.counted_from, 5);
    EXPECT_EQ(fork.tokens_within(2), 2) << "it sees no other lane, so its budget is its own";
    EXPECT_EQ(parse_record(to_line(record))->lanes, record.lanes);
    for (const EvalLane& lane : record.lanes) tokens += lane.tokens();
  }
  const std::vector<std::string> arms = {"mine"};
  const ArmScore score = score_arms(pair_arms(arms, records, truths_of(questions)), questions,
                                    {.budgets = {12}, .unfinished = true})[0];
  EXPECT_EQ(score.questions, 3);
  EXPECT_EQ(score.lanes, 2);
  EXPECT_EQ(score.lanes_total, 4);
  EXPECT_EQ(score.tokens, tokens);
  EXPECT_DOUBLE_EQ(score.budgets[0].total_tokens * 3, static_cast<double>(tokens));
}

TEST(Evaluation, SettingsSayWhatTextsFollowFrom) {
  const EvalPlan plan = plan_of(12);
  const RunSettings base = settings_of(parse_arm("lanerope"), plan);
  EXPECT_EQ(settings_of(parse_arm("lanerope:n=4"), plan), base);
  for (const char* arm : {"lanerope:n=2", "lanerope:stride=9", "lanerope:tag=x", "lanerope:temp=0.1",
                          "lanerope:coupling=hogwild", "lanerope:init=ntk", "lanerope:visibility=strict",
                          "lanerope:topology=ring", "lanerope:topology=blocks,block=2",
                          "lanerope:far-lanes=clamped,trained-lanes=2", "lanerope:then=So?",
                          "lanerope:window=8", "lanerope:prompt-lane=first", "lanerope:policy=prune"})
    EXPECT_NE(settings_of(parse_arm(arm), plan), base) << arm;
  const RunSettings of_two = settings_of(parse_arm("lanerope:policy=prune,policy=refill,tool=notes"), plan);
  EXPECT_NE(of_two, settings_of(parse_arm("lanerope:policy=consensus,policy=refill,tool=notes"), plan));
  std::set<std::string> names;
  for (const auto& [name, value] : of_two) EXPECT_TRUE(names.insert(name).second) << name << " stands twice";
  EvalPlan other = plan;
  other.seed = 2;
  EXPECT_NE(settings_of(parse_arm("lanerope"), other), base);
  EXPECT_NE(settings_of(parse_arm("lanerope"), plan_of(13)), base);
  EXPECT_NE(settings_of(parse_arm("beam"), plan), settings_of(parse_arm("beam:width=2"), plan));
  other = plan;
  other.verifier = "cat";
  EXPECT_NE(settings_of(parse_arm("lanerope"), other), base);
  EXPECT_EQ(settings_of(parse_arm("lanerope:then=So?"), other),
            settings_of(parse_arm("lanerope:then=So?"), plan))
      << "a second stage is not verified";
  other = plan;
  other.certainty_window = 0;
  EXPECT_NE(settings_of(parse_arm("lanerope"), other), base);
}

TEST(Evaluation, SettingsNameNothingThatWasNotGiven) {
  std::vector<std::string> names;
  for (const auto& [name, value] : settings_of(parse_arm("lanerope"), plan_of(12))) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"budget", "n", "coupling", "init", "stride", "tag",
                                             "temperature", "top-p", "seed"}))
      << "records from before there was more to name go on";
}

}  // namespace
}  // namespace lanerope::eval
