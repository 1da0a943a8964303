// SPDX-License-Identifier: Apache-2.0
// The coupling bridge, logit by logit: against the reference, and against lanes that exchange nothing.
#include <gtest/gtest.h>

#include <string>

#include "lanerope/engine.h"
#include "lanerope/errors.h"
#include "tests/model/scored_traces.h"
#include "tests/reference/torch_model.h"
#include "tests/support/engine_run.h"
#include "tests/support/random_models.h"
#include "tests/support/small_model.h"

namespace lanerope::model {
namespace {

const Coupling bridge{.kind = CouplingKind::bridge};
const Coupling independent{.kind = CouplingKind::independent};

tools::RandomModel bridged(const std::string& architecture = "qwen2") {
  tools::RandomModel model = support::small_model(architecture);
  model.n_layer = 3;
  model.bridge_heads = 3;
  model.bridge_head_dim = 24;
  return model;
}

support::AllLogits reference_logits(const reference::TorchModel& model, const ScoreRequest& request) {
  reference::Trace trace{.prompt = request.prompt_tokens, .lanes = {}, .coupling = request.coupling};
  for (size_t m = 0; m < request.lanes.size(); ++m)
    trace.lanes.push_back({.tokens = request.lanes[m], .start_step = request.start_steps[m]});
  const auto after = model.logits(trace);
  support::AllLogits before;
  for (const auto& lane : after.lanes) {
    before.push_back({after.prompt});
    before.back().insert(before.back().end(), lane.begin(), lane.end() - 1);
  }
  return before;
}

struct Setting {
  const char* name;
  BackEnd back_end;
  KvType kv_type;
  const char* type;
  double tolerance;  // of a logit's difference over the largest logit
};

class BridgeOn : public testing::TestWithParam<Setting> {
 protected:
  static tools::RandomModel of_type(tools::RandomModel model) {
    model.type = GetParam().type;
    return model;
  }
  static Engine engine(const std::string& file) {
    return Engine(support::load_model(file, GetParam().back_end),
                  {.kv_cells = 1024, .kv_type = GetParam().kv_type});
  }
};

// Lanes end at different steps, and of three or more some join late: who is not there is not heard.
TEST_P(BridgeOn, IsTheReferenceForEveryNumberOfLanes) {
  for (const char* architecture : {"llama", "qwen2", "gemma3"}) {
    const std::string file = support::write_model(of_type(bridged(architecture)));
    Engine run = engine(file);
    const reference::TorchModel reference(file);
    for (const int32_t n : {1, 2, 4, 8}) {
      const ScoreRequest request = trace_of(n, bridge);
      EXPECT_LT(support::relative_difference(support::all_logits(run, request),
                                             reference_logits(reference, request)),
                GetParam().tolerance)
          << architecture << ", " << n << " lanes";
    }
  }
}

TEST_P(BridgeOn, IsTheReferenceWithBlocksBehindSomeLayersOnly) {
  tools::RandomModel model = of_type(bridged());
  model.bridge_every = 2;  // behind the second of three
  const std::string file = support::write_model(model);
  Engine run = engine(file);
  const ScoreRequest request = trace_of(4, bridge);
  EXPECT_LT(support::relative_difference(support::all_logits(run, request),
                                         reference_logits(reference::TorchModel(file), request)),
            GetParam().tolerance);
}

// A window of one step at a time, and of all of them.
TEST_P(BridgeOn, DoesNotDependOnHowManyStepsAreFedAtOnce) {
  const auto model = support::load_model(of_type(bridged()), GetParam().back_end);
  Engine whole(model, {.kv_cells = 1024, .kv_type = GetParam().kv_type});
  Engine by_steps(model, {.kv_cells = 1024, .batch_rows = 4, .kv_type = GetParam().kv_type});
  const ScoreRequest request = trace_of(4, bridge);
  EXPECT_LT(support::relative_difference(support::all_logits(whole, request),
                                         support::all_logits(by_steps, request)),
            GetParam().back_end == BackEnd::kernels ? 1e-12 : GetParam().tolerance);
}

TEST_P(BridgeOn, HasLanesThatExchangeAndOneThatHearsItself) {
  const auto model = support::load_model(of_type(bridged()), GetParam().back_end);
  Engine run(model, {.kv_cells = 1024, .kv_type = GetParam().kv_type});
  const ScoreRequest together = trace_of(2, bridge);
  ScoreRequest alone = together;
  alone.lanes.resize(1);
  alone.start_steps.resize(1);
  const auto first = [&](const ScoreRequest& request) {
    return support::AllLogits{support::all_logits(run, request).front()};
  };
  EXPECT_GT(support::relative_difference(first(together), first(alone)), 0.01) << "what the second lane says";
  ScoreRequest plain = alone;
  plain.coupling = independent;
  EXPECT_GT(support::relative_difference(first(alone), first(plain)), 0.01) << "a block of its own state";
}

TEST_P(BridgeOn, WithOutputsOfZeroIsIndependentLanesToTheBit) {
  tools::RandomModel model = of_type(bridged());
  model.bridge_zero = true;
  Engine run = engine(support::write_model(model));
  for (const int32_t n : {1, 4}) {
    EXPECT_EQ(support::all_logits(run, trace_of(n, bridge)),
              support::all_logits(run, trace_of(n, independent)))
        << n << " lanes";
  }
}

TEST_P(BridgeOn, IsAModelLikeAnyOtherUnderOtherCouplings) {
  Engine with = engine(support::write_model(of_type(bridged())));
  tools::RandomModel plain = of_type(bridged());
  plain.bridge_heads = 0;
  Engine without = engine(support::write_model(plain));
  for (const CouplingKind kind : {CouplingKind::independent, CouplingKind::groupthink}) {
    const ScoreRequest request = trace_of(3, {.kind = kind});
    EXPECT_EQ(support::all_logits(with, request), support::all_logits(without, request)) << name(kind);
  }
}

INSTANTIATE_TEST_SUITE_P(BackEnds, BridgeOn,
                         testing::Values(Setting{"ggml", BackEnd::ggml, KvType::f32, "f32", 1e-4},
                                         Setting{"kernels_f16", BackEnd::kernels, KvType::f16, "f16", 4e-3},
                                         Setting{"kernels_q8_0", BackEnd::kernels, KvType::f16, "q8_0",
                                                 0.08}),
                         [](const auto& param_info) { return std::string(param_info.param.name); });

}  // namespace
}  // namespace lanerope::model
