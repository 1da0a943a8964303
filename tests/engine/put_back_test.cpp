// SPDX-License-Identifier: Apache-2.0
// Groups that are put back into the queue where pages run out, and go on as if nothing had been.
#include <gtest/gtest.h>

#include "lanerope/errors.h"
#include "tests/support/engine_run.h"
#include "tests/support/random_models.h"

namespace lanerope::engine {
namespace {

class PutBack : public testing::TestWithParam<CouplingKind> {
 protected:
  static const std::shared_ptr<const Model>& model() {
    static const auto model = support::load_model(
        {.architecture = "qwen2", .n_layer = 2, .width = 64, .n_ffn = 96, .n_vocab = 300, .bridge_heads = 2},
        BackEnd::kernels);
    return model;
  }

  // A prompt of 70 tokens, lanes of up to 200 that end by themselves here and there.
  static Request request(uint32_t seed, int32_t lanes = 3, CouplingKind kind = GetParam()) {
    return {.prompt = {.tokens = support::some_tokens(70, seed)},
            .lanes = lanes,
            .budget = 200,
            .coupling = {.kind = kind},
            .tag = "",
            .sampling = {.temperature = 1, .seed = seed},
            .ignore_end = true,
            .selection = {.kind = SelectionKind::none},
            .logprobs = true};
  }

  static support::GroupRun alone(const Request& request) {
    Engine engine(model(), {.kv_cells = 8192, .keep_prefixes = false});
    return support::run_group(engine, request);
  }

  static void expect_same(const support::GroupRun& run, const support::GroupRun& expected) {
    ASSERT_EQ(run.result.lanes.size(), expected.result.lanes.size());
    for (int32_t m = 0; m < static_cast<int32_t>(expected.result.lanes.size()); ++m) {
      EXPECT_EQ(run.tokens(m), expected.tokens(m)) << "lane " << m;
      EXPECT_EQ(run.logprobs(m), expected.logprobs(m)) << "lane " << m;
    }
  }
};

TEST_P(PutBack, GroupsGoOnToTheSameText) {
  std::vector<support::GroupRun> expected;
  for (uint32_t seed = 1; seed <= 5; ++seed) expected.push_back(alone(request(seed)));
  // From a pool that holds one whole group to one that holds them all.
  for (const int32_t pages : {14, 17, 22, 30, 100}) {
    for (const int32_t batch_rows : {16, 512}) {
      SCOPED_TRACE(std::to_string(pages) + " pages, " + std::to_string(batch_rows) + " rows");
      Engine engine(model(), {.kv_cells = pages * page_cells, .batch_rows = batch_rows});
      support::Runner runner(engine);
      std::vector<GroupId> ids;
      for (uint32_t seed = 1; seed <= 5; ++seed) ids.push_back(engine.submit(request(seed)));
      runner.finish();
      for (size_t g = 0; g < ids.size(); ++g) expect_same(runner.run(ids[g]), expected[g]);
      EXPECT_TRUE(pages < 100 || engine.state().put_back == 0);
      EXPECT_TRUE(pages != 22 || engine.state().put_back > 0);
      EXPECT_EQ(engine.state().cells_used, 0);
    }
  }
}

TEST_P(PutBack, NoGroupWhoseBudgetsAreReserved) {
  Engine engine(model(), {.kv_cells = 22 * page_cells, .reserve_budgets = true});
  support::Runner runner(engine);
  std::vector<GroupId> ids;
  for (uint32_t seed = 1; seed <= 3; ++seed) ids.push_back(engine.submit(request(seed)));
  runner.step();
  EXPECT_EQ(engine.state().groups, 1) << "two groups may come to need 28 pages";
  runner.finish();
  EXPECT_EQ(engine.state().put_back, 0);
  for (uint32_t seed = 1; seed <= 3; ++seed) expect_same(runner.run(ids[seed - 1]), alone(request(seed)));
}

// Lanes that were spawned, forked, retired and given text, before and while their group waits for pages.
TEST_P(PutBack, WhatIsDoneToLanesMeanwhileHolds) {
  const auto act = [](Engine& engine, support::Runner& runner, GroupId id) {
    for (int i = 0; i < 70; ++i) runner.step();
    engine.spawn(id, {.parent = 1, .fork_step = 40});
    engine.spawn(id, {.text = "abc"});
  };
  // In a ring of more lanes the first and the last of before are no neighbours any more.
  for (const Topology topology : {Topology::all, Topology::ring}) {
    if (!sees_other_lanes(GetParam()) && topology != Topology::all) continue;
    SCOPED_TRACE(name(topology));
    Request wanted = request(7, 4);
    if (topology != Topology::all) wanted.coupling.topology = topology;
    wanted.reserved_lanes = 2;
    Engine wide(model(), {.kv_cells = 8192});
    support::Runner calm(wide);
    const GroupId expected = wide.submit(wanted);
    act(wide, calm, expected);
    calm.finish();

    Engine narrow(model(), {.kv_cells = 30 * page_cells});
    support::Runner runner(narrow);
    const GroupId first = narrow.submit(request(8, 4));
    const GroupId id = narrow.submit(wanted);
    act(narrow, runner, id);
    runner.finish();
    EXPECT_GT(narrow.state().put_back, 0);
    EXPECT_TRUE(runner.finished(first));
    expect_same(runner.run(id), calm.run(expected));
  }
}

TEST_P(PutBack, AGroupMayBeCancelledMeanwhile) {
  Engine engine(model(), {.kv_cells = 17 * page_cells});
  support::Runner runner(engine);
  const GroupId first = engine.submit(request(1));
  const GroupId second = engine.submit(request(2));
  while (engine.state().put_back == 0) ASSERT_TRUE(runner.step());
  EXPECT_THROW(engine.probe(second, 0, 3), InvalidRequest);
  engine.retire(second, 0);
  engine.push_text(second, 1, "x");
  engine.cancel(second);
  runner.finish();
  EXPECT_EQ(runner.run(second).result.lanes.size(), 3U) << "with what it had written";
  EXPECT_FALSE(runner.run(second).result.lanes[1].tokens.empty());
  expect_same(runner.run(first), alone(request(1)));
  EXPECT_EQ(engine.state().cells_used, 0);
}

// The pages of a prompt that begins inside of another one's page hold fewer tokens: alone, a group shall fit
// all the same, without being put back. So shall one whose prompt was asked before, whose last token is its
// own.
TEST_P(PutBack, NoGroupThatFitsAlone) {
  Request otherwise = request(3);
  for (size_t i = 40; i < otherwise.prompt.tokens.size(); ++i)
    otherwise.prompt.tokens[i] = (otherwise.prompt.tokens[i] + 1) % 250;
  for (const bool reserve : {false, true}) {
    Engine engine(model(), {.kv_cells = 14 * page_cells, .reserve_budgets = reserve});
    for (const Request& wanted : {request(3), request(3), otherwise}) {
      expect_same(support::run_group(engine, wanted), alone(wanted));
      EXPECT_EQ(engine.state().put_back, 0);
    }
  }
}

TEST_P(PutBack, APromptIsSharedWhereItsGroupFitsWithThat) {
  for (const int32_t pages : {14, 15}) {
    Engine engine(model(), {.kv_cells = pages * page_cells});
    support::run_group(engine, request(3));
    EXPECT_EQ(support::run_group(engine, request(3)).result.cached_prompt_tokens, pages == 15 ? 69 : 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Couplings, PutBack,
                         testing::Values(CouplingKind::independent, CouplingKind::lanerope,
                                         CouplingKind::groupthink, CouplingKind::hogwild,
                                         CouplingKind::bridge),
                         [](const auto& coupling) { return std::string(name(coupling.param)); });

}  // namespace
}  // namespace lanerope::engine
