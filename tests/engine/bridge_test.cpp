// SPDX-License-Identifier: Apache-2.0
// What is asked of the coupling bridge and refused. What it computes is in tests/model/bridge_test.cpp.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "lanerope/errors.h"
#include "lanerope/policy.h"
#include "lanerope/resolve.h"
#include "tests/support/engine_run.h"
#include "tests/support/random_models.h"
#include "tests/support/refusal.h"
#include "tests/support/small_model.h"

namespace lanerope::engine {
namespace {

using support::refusal;
using testing::AllOf;
using testing::HasSubstr;

tools::RandomModel bridged() {
  tools::RandomModel model = support::small_model();
  model.bridge_heads = 2;
  return model;
}

Request request() {
  return {.prompt = {.text = "Hello"},
          .lanes = 3,
          .budget = 12,
          .coupling = {.kind = CouplingKind::bridge},
          .ignore_end = true};
}

TEST(Bridge, NeedsAModelThatWasTrainedForIt) {
  const auto model = support::load_model(support::small_model(), BackEnd::kernels);
  Engine engine(model, {.kv_cells = 1024});
  EXPECT_THAT(
      refusal([&] { engine.submit(request()); }),
      AllOf(HasSubstr(model->info().file), HasSubstr("has no bridges"), HasSubstr("docs/training.md")));
  EXPECT_THAT(
      refusal([&] {
        engine.score(
            {.prompt_tokens = {65}, .lanes = {{66}, {67}}, .coupling = {.kind = CouplingKind::bridge}});
      }),
      HasSubstr("has no bridges"));
  EXPECT_EQ(model->info().n_bridges, 0);
}

TEST(Bridge, RefusesWhatItHasNot) {
  const auto model = support::load_model(bridged(), BackEnd::kernels);
  Engine engine(model, {.kv_cells = 1024});
  EXPECT_EQ(model->info().n_bridges, 2);
  EXPECT_EQ(model->info().bridge_heads, 2);
  EXPECT_EQ(refusal([&] { engine.cancel(engine.submit(request())); }), "(not refused)");
  const std::vector<std::pair<std::function<void(Request&)>, const char*>> bad = {
      {[](Request& r) { r.coupling.visibility = Visibility::strict; }, "goes to no other lane"},
      {[](Request& r) { r.coupling.topology = Topology::ring; }, "goes to no other lane"},
      {[](Request& r) { r.coupling.window = 5; }, "goes to no other lane"},
      {[](Request& r) { r.coupling.init = OmegaInit::gt; }, "goes to no other lane"},
      {[](Request& r) { r.coupling.stride = 9; }, "goes to no other lane"},
      {[](Request& r) { r.then = SecondStage{.text = "Sum up."}; }, "no second stage yet"},
      {[](Request& r) { r.wait = "a"; }, "lanes of the bridge coupling cannot sleep"},
  };
  for (const auto& [change, words] : bad) {
    Request wanted = request();
    change(wanted);
    EXPECT_THAT(refusal([&] { engine.submit(wanted); }), HasSubstr(words));
  }
}

class BridgeGroups : public testing::TestWithParam<BackEnd> {};

// Groups at the same steps, with one prompt, while another one's prompt is being read.
TEST_P(BridgeGroups, OfOneBatchDoNotHearOneAnother) {
  const auto model = support::load_model(bridged(), GetParam());
  const EngineOptions options{.kv_cells = 4096, .batch_rows = 16};
  const auto wanted = [](int32_t lanes) {
    Request of = request();
    of.lanes = lanes;
    of.sampling = {.temperature = 0};
    of.logprobs = true;
    return of;
  };
  Engine together(model, options);
  support::Runner runner(together);
  std::vector<GroupId> ids;
  for (const int32_t lanes : {2, 3, 5}) ids.push_back(together.submit(wanted(lanes)));
  together.submit({.prompt = {.tokens = support::some_tokens(200, 5)}, .lanes = 2, .budget = 4, .tag = ""});
  runner.finish();
  for (const GroupId id : ids) {
    Engine quiet(model, options);
    const auto n_lanes = static_cast<int32_t>(runner.run(id).result.lanes.size());
    const support::GroupRun alone = support::run_group(quiet, wanted(n_lanes));
    for (int32_t m = 0; m < n_lanes; ++m) {
      const std::vector<float> expected = alone.logprobs(m);
      const std::vector<float> said = runner.run(id).logprobs(m);
      if (GetParam() == BackEnd::kernels) {
        EXPECT_EQ(said, expected);
        continue;
      }
      ASSERT_EQ(said.size(), expected.size());
      for (size_t t = 0; t < said.size(); ++t) EXPECT_NEAR(said[t], expected[t], 0.02);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(BackEnds, BridgeGroups, testing::Values(BackEnd::kernels, BackEnd::ggml),
                         [](const auto& param_info) { return std::string(name(param_info.param)); });

// A token is fed again for a probe, alone, which would give it other hidden states.
TEST(Bridge, IsNotProbedTokenByToken) {
  Engine engine(support::load_model(bridged(), BackEnd::kernels), {.kv_cells = 1024});
  Request wanted = request();
  wanted.hold = true;
  support::Runner runner(engine);
  const GroupId id = engine.submit(wanted);
  runner.finish();
  EXPECT_THAT(refusal([&] { engine.probe(id, 0, 3); }), HasSubstr("cannot be probed alone"));
}

// Steps that are known are fed in one pass: each still exchanges with its own alone.
TEST(Bridge, FeedsForcedStepsTogetherToTheSameText) {
  const auto model = support::load_model(bridged(), BackEnd::kernels);
  Request at_once = request();
  at_once.tag = "";
  at_once.lane_texts = {"abcdef", "ghijkl", "mnopqr"};
  at_once.budget = 20;
  at_once.sampling.seed = 3;
  at_once.logprobs = true;
  Request step_by_step = at_once;  // lanes of a group with a policy are fed so
  step_by_step.policies.push_back(resolve_policy(parse_policy("budget:tokens=1000")));
  Engine engine(model, {.kv_cells = 2048});
  const support::GroupRun a = support::run_group(engine, at_once);
  const support::GroupRun b = support::run_group(engine, step_by_step);
  for (int32_t m = 0; m < 3; ++m) {
    EXPECT_EQ(a.tokens(m), b.tokens(m));
    EXPECT_EQ(a.logprobs(m), b.logprobs(m));
  }
}

}  // namespace
}  // namespace lanerope::engine
