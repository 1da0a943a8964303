// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "lanerope/errors.h"
#include "tests/support/engine_run.h"
#include "tests/support/random_models.h"

namespace lanerope::engine {
namespace {

using testing::HasSubstr;

const std::shared_ptr<const Model>& tiny() {
  static const auto model = support::load_model(
      tools::RandomModel{.n_layer = 2, .width = 64, .n_head = 4, .n_head_kv = 2, .head_dim = 32, .n_ffn = 64},
      BackEnd::automatic);
  return model;
}

Request request(std::vector<TokenId> prompt, int32_t lanes, int32_t budget) {
  return {.prompt = {.tokens = std::move(prompt)},
          .lanes = lanes,
          .budget = budget,
          .tag = "",
          .sampling = {.temperature = 0},
          .ignore_end = true,
          .selection = {.kind = SelectionKind::none},
          .logprobs = true};
}

// `length` tokens of which the first `same` are those of some_tokens(.., seed).
std::vector<TokenId> prompt(int32_t length, int32_t same, uint32_t seed = 1) {
  std::vector<TokenId> tokens = support::some_tokens(length, seed);
  for (int32_t i = same; i < length; ++i) tokens[i] = (tokens[i] + 1 + static_cast<int32_t>(seed)) % 250;
  return tokens;
}

void expect_same_text(const support::GroupRun& a, const support::GroupRun& b) {
  ASSERT_EQ(a.result.lanes.size(), b.result.lanes.size());
  for (int32_t m = 0; m < static_cast<int32_t>(a.result.lanes.size()); ++m) {
    EXPECT_EQ(a.tokens(m), b.tokens(m)) << "lane " << m;
    for (size_t i = 0; i < a.logprobs(m).size(); ++i) EXPECT_NEAR(a.logprobs(m)[i], b.logprobs(m)[i], 0.02);
  }
}

support::GroupRun run_alone(const Request& request) {
  Engine engine(tiny(), {.kv_cells = 4096, .keep_prefixes = false});
  return support::run_group(engine, request);
}

// The prompt is stored once, whatever N is: bytes = (prompt + N x budget) cells of 2 x layers x KV width
// values, each rounded up to pages of 64.
TEST(Cells, OfARequestArePromptPlusLanesTimesBudget) {
  for (const auto& [type, bytes] : {std::pair{KvType::f16, 2}, std::pair{KvType::f32, 4}}) {
    Engine engine(tiny(), {.kv_cells = 4000, .kv_type = type});
    for (const int32_t n : {1, 4, 8}) {
      const Request wanted = request(prompt(100, 0), n, 25);
      const MemoryNeed need = engine.need(wanted);
      EXPECT_EQ(need.prompt_cells, 128);
      EXPECT_EQ(need.lane_cells, n * 64);
      EXPECT_EQ(need.kv_bytes, (128U + n * 64U) * 2 * 2 * (2 * 32) * bytes);
      EXPECT_EQ(memory_need(*tiny(), *resolve(*tiny(), wanted), type).kv_bytes, need.kv_bytes);
    }
    Request reserved = request(prompt(100, 0), 2, 25);
    reserved.reserved_lanes = 3;
    EXPECT_EQ(engine.need(reserved).lane_cells, 5 * 64);
  }
}

TEST(Cells, AreHeldWhileAGroupRunsAndKeptOrFreeAfterwards) {
  for (const bool keep : {true, false}) {
    Engine engine(tiny(), {.kv_cells = 600, .keep_prefixes = keep});
    support::Runner runner(engine);
    engine.submit(request(prompt(40, 0), 4, 70));
    EXPECT_EQ(engine.state().queued_groups, 1);
    EXPECT_EQ(engine.state().cells_used, 0);
    runner.step();
    EXPECT_EQ(engine.state().groups, 1);
    EXPECT_EQ(engine.state().lanes, 4);
    EXPECT_EQ(engine.state().cells_used, (1 + 4) * 64) << "a page for the prompt, and the first of each lane";
    EXPECT_EQ(engine.state().cells, 640) << "whole pages";
    runner.finish();
    EXPECT_EQ(engine.state().groups, 0);
    EXPECT_EQ(engine.state().cells_used, 0);
    EXPECT_EQ(engine.state().cells_kept, keep ? 64 : 0);
    EXPECT_EQ(engine.state().steps, 1 + 69);
  }
}

TEST(Cells, ThatCanNeverBeHadAreRefusedWithTheNumbers) {
  Engine engine(tiny(), {.kv_cells = 300});
  try {
    engine.submit(request(prompt(64, 0), 4, 65));
    FAIL() << "64 + 4 x 128 > 320";
  } catch (const DoesNotFit& error) {
    EXPECT_THAT(error.what(), HasSubstr("576 KV cells"));
    EXPECT_THAT(error.what(), HasSubstr("64 of prompt"));
    EXPECT_THAT(error.what(), HasSubstr("4 lanes x 128"));
    EXPECT_THAT(error.what(), HasSubstr("has 320"));
  }
  EXPECT_EQ(support::run_group(engine, request(prompt(64, 0), 4, 64)).result.lanes.size(), 4U)
      << "to the last cell";
}

TEST(Cells, ThatAreShortAreWaitedFor) {
  Engine engine(tiny(), {.kv_cells = 3 * 64});
  support::Runner runner(engine);
  std::vector<GroupId> ids;
  for (uint32_t g = 0; g < 4; ++g) ids.push_back(engine.submit(request(prompt(30, 0, g), 2, 20)));
  runner.step();
  EXPECT_EQ(engine.state().groups, 1);
  EXPECT_EQ(engine.state().queued_groups, 3);
  runner.finish();
  for (uint32_t g = 0; g < 4; ++g)
    expect_same_text(runner.run(ids[g]), run_alone(request(prompt(30, 0, g), 2, 20)));
}

TEST(SharedPrompts, AreReadOnceByGroupsThatBeginAlike) {
  Engine engine(tiny(), {.kv_cells = 4096, .batch_rows = 16});
  support::Runner runner(engine);
  const Request first = request(prompt(60, 60), 2, 10);
  const Request second = request(prompt(60, 50), 2, 10);
  const GroupId a = engine.submit(first);
  const GroupId b = engine.submit(second);
  const GroupId c = engine.submit(first);
  runner.step();
  EXPECT_EQ(engine.state().cells_used, (1 + 1 + 1 + 6) * 64) << "each group has its last token to itself";
  runner.finish();
  EXPECT_EQ(runner.run(a).result.cached_prompt_tokens, 0);
  EXPECT_EQ(runner.run(b).result.cached_prompt_tokens, 50);
  EXPECT_EQ(runner.run(c).result.cached_prompt_tokens, 59);
  expect_same_text(runner.run(a), run_alone(first));
  expect_same_text(runner.run(b), run_alone(second));
  expect_same_text(runner.run(c), run_alone(first));
}

TEST(SharedPrompts, AreFoundLongAfterTheGroupHasEnded) {
  Engine engine(tiny(), {.kv_cells = 4096});
  support::run_group(engine, request(prompt(60, 60), 2, 10));
  support::run_group(engine, request(prompt(20, 0, 9), 2, 10));
  const support::GroupRun again = support::run_group(engine, request(prompt(60, 45), 2, 10));
  EXPECT_EQ(again.result.cached_prompt_tokens, 45);
  expect_same_text(again, run_alone(request(prompt(60, 45), 2, 10)));
  EXPECT_EQ(support::run_group(engine, request(prompt(60, 8), 2, 10)).result.cached_prompt_tokens, 0)
      << "a few tokens are not worth a segment";
}

TEST(SharedPrompts, MakeRoomWhereCellsAreShort) {
  Engine engine(tiny(), {.kv_cells = 4 * 64});
  for (uint32_t seed = 0; seed < 6; ++seed) {
    const Request one = request(prompt(50, 0, seed), 2, 20);
    expect_same_text(support::run_group(engine, one), run_alone(one));
    EXPECT_LE(engine.state().cells_kept, 4 * 64);
  }
  // It begins like a kept one in the midst of a page, and only fits once that one has gone.
  const Request tight = request(prompt(128, 30, 5), 2, 25);
  expect_same_text(support::run_group(engine, tight), run_alone(tight));
  EXPECT_EQ(engine.score({.prompt_tokens = prompt(100, 35, 5), .lanes = {support::some_tokens(20, 1)}})
                .lanes.size(),
            1U);
}

// The group that reads what others wait for goes away half-way.
TEST(SharedPrompts, AreReadOnByAnotherGroupWhereTheReaderIsCancelled) {
  for (const int32_t steps : {1, 2, 3, 5}) {
    Engine engine(tiny(), {.kv_cells = 4096, .batch_rows = 8});
    support::Runner runner(engine);
    const GroupId reader = engine.submit(request(prompt(60, 60), 1, 10));
    const GroupId waits = engine.submit(request(prompt(60, 50), 2, 10));
    const GroupId also = engine.submit(request(prompt(60, 40), 2, 10));
    for (int i = 0; i < steps; ++i) runner.step();
    engine.cancel(reader);
    runner.finish();
    expect_same_text(runner.run(waits), run_alone(request(prompt(60, 50), 2, 10)));
    expect_same_text(runner.run(also), run_alone(request(prompt(60, 40), 2, 10)));
    EXPECT_EQ(engine.state().cells_used, 0);
  }
}

// A group joins one that itself still waits for cells that nobody reads any more.
TEST(SharedPrompts, AreNotTakenFromAGroupThatWaitsForThemItself) {
  Engine engine(tiny(), {.kv_cells = 4096, .batch_rows = 8});
  support::Runner runner(engine);
  const GroupId reader = engine.submit(request(prompt(60, 60), 1, 10));
  const GroupId waits = engine.submit(request(prompt(60, 50), 2, 10));
  runner.step();
  runner.step();
  engine.cancel(reader);
  const GroupId joins = engine.submit(request(prompt(60, 45), 2, 10));
  runner.finish();
  expect_same_text(runner.run(waits), run_alone(request(prompt(60, 50), 2, 10)));
  expect_same_text(runner.run(joins), run_alone(request(prompt(60, 45), 2, 10)));

  // And that one goes away too.
  const GroupId first = engine.submit(request(prompt(70, 70, 3), 1, 10));
  const GroupId second = engine.submit(request(prompt(70, 50, 3), 2, 10));
  runner.step();
  runner.step();
  engine.cancel(first);
  runner.step();
  const GroupId third = engine.submit(request(prompt(70, 45, 3), 2, 10));
  runner.step();
  engine.cancel(second);
  runner.finish();
  expect_same_text(runner.run(third), run_alone(request(prompt(70, 45, 3), 2, 10)));
}

TEST(EngineOptions, ThatMakeNoSenseAreRefused) {
  EXPECT_THROW(Engine(tiny(), {.kv_cells = 1}), InvalidRequest);
  EXPECT_THROW(Engine(tiny(), {.kv_cells = 100, .batch_rows = 0}), InvalidRequest);
  EXPECT_THROW(Engine(support::load_model(tools::RandomModel{.n_layer = 1, .head_dim = 16}, BackEnd::ggml),
                      {.kv_type = KvType::q8_0}),
               InvalidRequest);
  EXPECT_NO_THROW(Engine(support::load_model(tools::RandomModel{.n_layer = 1}, BackEnd::ggml),
                         {.kv_type = KvType::q8_0}));
}

}  // namespace
}  // namespace lanerope::engine
