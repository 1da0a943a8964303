// SPDX-License-Identifier: Apache-2.0
// What a group of lanes that wait for one another does, step by step.
#include <gtest/gtest.h>

#include "lanerope/errors.h"
#include "tests/support/engine_run.h"
#include "tests/support/random_models.h"

namespace lanerope::engine {
namespace {

class SleepingLanes : public testing::Test {
 protected:
  std::shared_ptr<const Model> model = support::load_model(
      {.architecture = "qwen2", .n_layer = 1, .width = 64, .n_ffn = 96, .n_vocab = 300, .context = 64},
      BackEnd::kernels);
  Engine engine{model, {.kv_cells = 2048}};

  Request request(std::vector<std::string> texts, int32_t budget = 12) const {
    Request made{.prompt = {.tokens = support::some_tokens(5, 1)},
                 .lanes = static_cast<int32_t>(texts.size()),
                 .budget = budget,
                 .coupling = {.kind = CouplingKind::lanerope},
                 .tag = "",
                 .wait = "~",
                 .ready = "!",
                 .lane_texts = std::move(texts),
                 .sampling = {.temperature = 0},
                 .ignore_end = true};
    // Nothing but what the texts say puts a lane to sleep.
    for (const char* text : {"~", "!"})
      made.sampling.logit_bias.push_back(
          {.token = model->encode(text, {.add_special = false})[0], .bias = -1e9F});
    return made;
  }
};

TEST_F(SleepingLanes, HoldTheirWaitTokenUntilAnotherIsReady) {
  const support::GroupRun run = support::run_group(engine, request({"a~", "bcdef!"}));
  EXPECT_EQ(run.result.lanes[0].sleeps, (std::vector<Sleep>{{.token = 1, .steps = 4}}));
  EXPECT_TRUE(run.result.lanes[1].sleeps.empty());
  const auto slept = run.of(EventKind::lane_slept, 0);
  const auto woke = run.of(EventKind::lane_woke, 0);
  ASSERT_EQ(slept.size(), 1U);
  ASSERT_EQ(woke.size(), 1U);
  EXPECT_EQ(slept[0].step, 1);
  EXPECT_EQ(woke[0].step, 5);
  // The budget counts tokens, the clock steps.
  EXPECT_EQ(run.result.lanes[0].tokens.size(), 12U);
  EXPECT_EQ(run.of(EventKind::token, 0).back().step, 15);
}

TEST_F(SleepingLanes, CostNothingWhileTheySleep) {
  const GroupId id = engine.submit(request({"a~", "b~", "cdefgh!"}));
  support::Runner runner(engine);
  runner.step();  // the prompt
  int32_t tokens = 0;
  for (int32_t step = 0; step < 6; ++step) runner.step();
  for (const Event& event : runner.run(id).events) tokens += event.kind == EventKind::token ? 1 : 0;
  // Each chose a token when the prompt was read and one a step later; then one lane alone goes on.
  EXPECT_EQ(tokens, 2 * 3 + 5);
}

TEST_F(SleepingLanes, SeeWhatWasWrittenMeanwhile) {
  // What lane 0 goes on with depends on what lane 1 wrote while it slept.
  const support::GroupRun one = support::run_group(engine, request({"a~", "bcdef!"}));
  const support::GroupRun other = support::run_group(engine, request({"a~", "bxyzf!"}));
  EXPECT_NE(one.tokens(0), other.tokens(0));
}

TEST_F(SleepingLanes, MaySeeOthersFromTheirHandOverOn) {
  const auto of = [&](const std::string& other, SeesFrom sees_from) {
    // Lane 0 writes three tokens of its own, hands over and writes on; it never sleeps.
    Request made = request({"", other}, 9);
    made.coupling.sees_from = sees_from;
    made.sampling.logit_bias.clear();
    const GroupId id = engine.submit(made);
    support::Runner runner(engine);
    for (int32_t step = 0; step < 3; ++step) runner.step();
    engine.push_text(id, 0, "!");
    runner.finish();
    return runner.run(id).tokens(0);
  };
  const auto early = [](const std::vector<TokenId>& tokens) {
    return std::vector(tokens.begin(), tokens.begin() + 3);
  };
  const auto one = of("abcdefgh", SeesFrom::hand_over);
  const auto other = of("stuvwxyz", SeesFrom::hand_over);
  EXPECT_EQ(early(one), early(other)) << "it has not looked";
  EXPECT_NE(one, other) << "it has seen them";
  EXPECT_NE(early(of("abcdefgh", SeesFrom::start)), early(of("stuvwxyz", SeesFrom::start)));
}

TEST_F(SleepingLanes, ThatSeeFromTheirHandOverOnNeedAWaitToken) {
  Request made = request({"a", "b"});
  made.coupling.sees_from = SeesFrom::hand_over;
  made.wait = "", made.ready = "";
  EXPECT_THROW(engine.submit(made), InvalidRequest);
  made.coupling.kind = CouplingKind::hogwild;
  EXPECT_THROW(engine.submit(made), InvalidRequest);
  made.coupling.kind = CouplingKind::independent;
  EXPECT_THROW(engine.submit(made), InvalidRequest)
      << "they see nobody, so there is no hand-over to speak of";
  made.coupling.sees_from.reset();
  EXPECT_NO_THROW(engine.submit(made));
  Request one = request({"a"});
  one.coupling.sees_from = SeesFrom::hand_over;
  one.wait = "", one.ready = "";
  EXPECT_NO_THROW(engine.submit(one)) << "there is nobody to see";
}

TEST_F(SleepingLanes, WakeWhenTheyAreRetired) {
  const GroupId id = engine.submit(request({"a~", "bcdefghijk"}));
  support::Runner runner(engine);
  for (int32_t step = 0; step < 5; ++step) runner.step();
  engine.retire(id, 0);
  runner.finish();
  const LaneResult& lane = runner.run(id).result.lanes[0];
  EXPECT_EQ(lane.finish, FinishReason::retired);
  EXPECT_EQ(lane.tokens.size(), 2U);
  EXPECT_EQ(runner.run(id).result.lanes[1].tokens.size(), 12U);
}

TEST_F(SleepingLanes, WakeForTextThatIsPushed) {
  const GroupId id = engine.submit(request({"a~", "bcdefghijk"}));
  support::Runner runner(engine);
  for (int32_t step = 0; step < 5; ++step) runner.step();
  engine.push_text(id, 0, "zz");
  runner.finish();
  const LaneResult& lane = runner.run(id).result.lanes[0];
  EXPECT_EQ(lane.sleeps, (std::vector<Sleep>{{.token = 1, .steps = 3}}));
  EXPECT_EQ(lane.text.substr(0, 4), "a~zz");
}

TEST_F(SleepingLanes, CanBeForkedWhileTheySleep) {
  const GroupId id = engine.submit(request({"a~", "bcdefgh!"}));
  support::Runner runner(engine);
  for (int32_t step = 0; step < 4; ++step) runner.step();
  EXPECT_EQ(engine.spawn(id, {.parent = 0}), 2);
  EXPECT_EQ(engine.spawn(id, {.parent = 0, .fork_step = 1}), 3);
  EXPECT_THROW(engine.spawn(id, {.parent = 0, .fork_step = 3}), InvalidRequest);
  runner.finish();
  const GroupResult& result = runner.run(id).result;
  // The fork's first token is the one that its parent holds back, so it sleeps too.
  ASSERT_EQ(result.lanes.size(), 4U);
  EXPECT_EQ(result.lanes[2].sleeps.size(), 1U);
  EXPECT_EQ(result.lanes[2].sleeps[0].token, 0);
  EXPECT_TRUE(result.lanes[3].sleeps.empty());
}

TEST_F(SleepingLanes, EndAtTheEndOfTheModelsContext) {
  // Lane 1 writes on while lane 0 sleeps, until the clock has no step left for it.
  const support::GroupRun run = support::run_group(engine, request({"a~", "b"}, 58));
  EXPECT_EQ(run.result.lanes[0].finish, FinishReason::length);
  EXPECT_LT(run.result.lanes[0].tokens.size(), 58U);
  EXPECT_LE(run.result.clock, 64 - 5);
}

TEST_F(SleepingLanes, WhatCannotBeHonouredIsRefused) {
  const auto refusal = [&](const std::function<void(Request&)>& change) {
    Request wrong = request({"a", "b"});
    change(wrong);
    try {
      engine.submit(wrong);
    } catch (const InvalidRequest& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(refusal([](Request& r) { r.wait = "ab"; }),
            "the wait text \"ab\" is 2 tokens of this model; use one that is a single token");
  EXPECT_EQ(refusal([](Request& r) { r.ready = "abc"; }),
            "the ready text \"abc\" is 3 tokens of this model; use one that is a single token");
  EXPECT_EQ(refusal([](Request& r) { r.wait.reset(); }),
            "a ready text without a wait text does nothing; say which token lanes wait with");
  EXPECT_EQ(refusal([](Request& r) { r.coupling = {.kind = CouplingKind::hogwild}; }),
            "lanes of the hogwild coupling cannot sleep; leave the wait text out or couple otherwise");
  EXPECT_EQ(refusal([](Request& r) { r.coupling = {.kind = CouplingKind::independent}; }),
            "independent lanes see no other that could wake them; leave wait and ready texts out or couple "
            "otherwise");
}

}  // namespace
}  // namespace lanerope::engine
