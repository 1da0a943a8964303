// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <set>

#include "lanerope/engine.h"
#include "tests/support/engine_run.h"
#include "tests/support/random_models.h"

namespace lanerope::engine {
namespace {

std::shared_ptr<const Model> tiny() {
  return support::load_model(
      tools::RandomModel{.n_layer = 2, .width = 64, .n_ffn = 96, .n_vocab = 259, .bridge_heads = 2},
      BackEnd::ggml);
}

Request request(int32_t lanes, int32_t budget, const Coupling& coupling) {
  return {.prompt = {.tokens = support::some_tokens(20, 1)},
          .lanes = lanes,
          .budget = budget,
          .coupling = exactly(coupling),
          .tag = "",
          .ignore_end = true};
}

std::vector<Coupling> couplings() {
  return {{.kind = CouplingKind::independent},
          {.kind = CouplingKind::lanerope, .init = OmegaInit::gt},
          {.kind = CouplingKind::groupthink},
          {.kind = CouplingKind::hogwild},
          {.kind = CouplingKind::bridge}};
}

TEST(FixedGraphs, HaveAsManyNodesWhateverTheNumberOfLanes) {
  const auto model = tiny();
  for (const Coupling& coupling : couplings()) {
    std::set<int32_t> nodes;
    for (const int32_t n : {4, 6, 8, 16}) {
      Engine engine(model, {.kv_cells = 4096});
      support::run_group(engine, request(n, 8, coupling));
      nodes.insert(engine.state().graph_nodes);
    }
    EXPECT_EQ(nodes.size(), 1U) << name(coupling.kind);
  }
}

TEST(FixedGraphs, AreNotBuiltAgainInASteadyState) {
  const auto model = tiny();
  for (const Coupling& coupling : couplings()) {
    Engine engine(model, {.kv_cells = 4096});
    const int32_t budget = 50;
    support::run_group(engine, request(4, budget, coupling));
    support::run_group(engine, request(4, budget, coupling));  // whose prompt is there already
    const int64_t builds = engine.state().graph_builds;
    EXPECT_GE(builds, 3) << "the prompt, its last token, and the lanes";
    EXPECT_LE(builds, 16) << name(coupling.kind) << ": as the cells grow, not with each step";
    EXPECT_GE(engine.state().steps, 2 * budget);
    support::run_group(engine, request(4, budget, coupling));
    EXPECT_EQ(engine.state().graph_builds, builds) << name(coupling.kind) << ", the same once more";
  }
}

// Groups of all couplings side by side: what each is given does not depend on who else is in the batch.
TEST(FixedGraphs, ServeGroupsOfDifferentCouplingsInOneStep) {
  const auto model = tiny();
  const auto wanted = [](int32_t lanes, const Coupling& coupling) {
    Request of = request(lanes, 12, coupling);
    of.logprobs = true;
    of.sampling = {.temperature = 0};
    return of;
  };
  Engine together(model, {.kv_cells = 4096, .kv_type = KvType::f32});
  support::Runner runner(together);
  std::vector<GroupId> ids;
  int32_t lanes = 1;
  for (const Coupling& coupling : couplings()) ids.push_back(together.submit(wanted(++lanes, coupling)));
  // Another omega.
  ids.push_back(
      together.submit(wanted(3, {.kind = CouplingKind::lanerope, .init = OmegaInit::gt, .stride = 7})));
  runner.finish();
  for (size_t i = 0; i < ids.size(); ++i) {
    Engine alone(model, {.kv_cells = 4096, .kv_type = KvType::f32});
    const auto coupling = i < couplings().size()
                              ? couplings()[i]
                              : Coupling{.kind = CouplingKind::lanerope, .init = OmegaInit::gt, .stride = 7};
    const support::GroupRun run =
        support::run_group(alone, wanted(i < couplings().size() ? static_cast<int32_t>(i) + 2 : 3, coupling));
    for (int32_t m = 0; m < std::ssize(run.result.lanes); ++m) {
      const std::vector<float> expected = run.logprobs(m);
      const std::vector<float> said = runner.run(ids[i]).logprobs(m);
      ASSERT_EQ(said.size(), expected.size());
      for (size_t t = 0; t < said.size(); ++t)
        ASSERT_NEAR(said[t], expected[t], 2e-3) << name(coupling.kind) << ", lane " << m << ", token " << t;
    }
  }
}

}  // namespace
}  // namespace lanerope::engine
