// SPDX-License-Identifier: Apache-2.0
// What the lane that reads all others sees, against the definition in docs/couplings.md.
#include <gtest/gtest.h>

#include <string>

#include "tests/reference/torch_model.h"
#include "tests/support/engine_run.h"
#include "tests/support/log_probability.h"
#include "tests/support/random_models.h"
#include "tests/support/small_model.h"

namespace lanerope::engine {
namespace {

using support::GroupRun;

Request request_of() {
  return {.prompt = {.tokens = support::some_tokens(11, 1)},
          .lanes = 3,
          .budget = 24,
          .lane_texts = {"", "ab"},
          .sampling = {.temperature = 1.2F, .top_k = 0, .top_p = 1, .min_p = 0, .seed = 5},
          .ignore_end = true,
          .then = SecondStage{.text = "All {n} of you:", .budget = 9},
          .logprobs = true};
}

struct Setting {
  const char* name;
  BackEnd back_end;
  KvType kv_type;
  double tolerance;  // of a log-probability
};

class SecondStageReference : public testing::TestWithParam<Setting> {};

TEST_P(SecondStageReference, SaysOfEveryTokenWhatTheDefinitionSays) {
  const std::string file = support::write_model(support::small_model());
  const auto model = support::load_model(file, GetParam().back_end);
  const reference::TorchModel torch_model(file);
  const std::vector<Coupling> couplings = {
      {.kind = CouplingKind::independent},
      {.kind = CouplingKind::lanerope, .visibility = Visibility::strict, .topology = Topology::ring},
      {.kind = CouplingKind::groupthink, .topology = Topology::blocks, .window = 3, .block = 2},
      {.kind = CouplingKind::hogwild},
  };
  for (const Coupling& coupling : couplings) {
    Engine engine(model, {.kv_cells = 2048, .batch_rows = 32, .kv_type = GetParam().kv_type});
    Request request = request_of();
    request.coupling = exactly(coupling);
    support::Runner runner(engine);
    const GroupId id = engine.submit(request);
    // One lane ends before the others.
    for (int32_t step = 0; runner.step(); ++step) {
      if (step == 6) engine.retire(id, 0);
    }
    const GroupRun run = runner.run(id);
    ASSERT_EQ(run.result.lanes.size(), 4U);
    reference::Trace trace{.prompt = request.prompt.tokens, .lanes = {}, .coupling = coupling, .stride = 24};
    for (const LaneResult& lane : run.result.lanes)
      trace.lanes.push_back({.tokens = lane.tokens, .start_step = lane.start_step});
    trace.lanes.back().reads_all = true;
    EXPECT_EQ(trace.lanes.back().start_step, 24) << "behind the longest lane";
    EXPECT_LT(trace.lanes.front().tokens.size(), 24U);
    const auto expected = torch_model.logits(trace);
    int sampled = 0;
    for (size_t m = 0; m < trace.lanes.size(); ++m) {
      const auto events = run.of(EventKind::token, static_cast<int32_t>(m));
      ASSERT_EQ(events.size(), trace.lanes[m].tokens.size());
      for (size_t i = 0; i < events.size(); ++i) {
        EXPECT_EQ(events[i].step, trace.lanes[m].start_step + static_cast<int32_t>(i));
        if (events[i].forced) continue;
        const auto& logits = i == 0 ? expected.prompt : expected.lanes[m][i - 1];
        ASSERT_NEAR(*events[i].logprob, support::log_probability(logits, events[i].token),
                    GetParam().tolerance)
            << name(coupling.kind) << ", lane " << m << ", token " << i;
        ++sampled;
      }
    }
    EXPECT_GT(sampled, 40);
  }
}

INSTANTIATE_TEST_SUITE_P(Paths, SecondStageReference,
                         testing::Values(Setting{"ggml_f32", BackEnd::ggml, KvType::f32, 1e-3},
                                         Setting{"kernels_f16", BackEnd::kernels, KvType::f16, 0.05}),
                         [](const auto& param_info) { return std::string(param_info.param.name); });

}  // namespace
}  // namespace lanerope::engine
