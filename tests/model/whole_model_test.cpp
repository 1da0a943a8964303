// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "lanerope/engine.h"
#include "tests/model/scored_traces.h"
#include "tests/reference/model_facts.h"
#include "tests/reference/torch_model.h"
#include "tests/support/engine_run.h"
#include "tests/support/random_models.h"

namespace lanerope::model {
namespace {

// The largest difference of two logits over the largest logit, f32 weights and f32 KV cells against doubles.
constexpr double tolerance = 1e-4;

tools::RandomModel small(const std::string& architecture) {
  // Four layers of smollm3 are three with RoPE and one without; glm4 rotates half of each head, and phi3 does
  // here.
  if (architecture == "smollm3" || architecture == "glm4" || architecture == "phi3") {
    tools::RandomModel model = small("llama");
    model.architecture = architecture;
    model.n_layer = architecture == "smollm3" ? 4 : 2;
    model.rotated = architecture == "smollm3" ? 0 : 8;
    return model;
  }
  // mistral3's queries grow with every fourth index here.
  if (architecture == "mistral3") {
    tools::RandomModel model = small("llama");
    model.architecture = architecture;
    model.rope_scaling = core::RopeScaling::yarn;
    model.rope_factor = 4;
    model.rope_original_context = 4;
    model.log_multiplier = 0.5F;
    model.temperature = 0.1F;
    return model;
  }
  // Every other layer of gemma2 has a window, and the caps are low enough to bend what they cap.
  if (architecture == "gemma2") {
    tools::RandomModel model = small("gemma3");
    model.architecture = architecture;
    model.n_layer = 4;
    model.score_cap = 1.5F;
    model.logit_cap = 4;
    return model;
  }
  if (architecture == "gpt-oss") {
    tools::RandomModel model = small("gemma2");
    model.architecture = architecture;
    model.score_cap = model.logit_cap = 0;
    model.rope_scaling = core::RopeScaling::yarn;
    model.rope_factor = 4;
    model.rope_original_context = 64;
    return model;
  }
  // Six layers of gemma3 are five with a window, which is narrow enough to hide something, and one without.
  const bool windows = architecture == "gemma3";
  tools::RandomModel model = model_of_layers(architecture, windows ? 6 : 2);
  if (!windows) model.window = 0;
  return model;
}

// Rotary pairs of a head.
size_t pairs_of(const std::string& architecture) {
  const tools::RandomModel model = small(architecture);
  return static_cast<size_t>(model.rotated > 0 ? model.rotated : model.head_dim) / 2;
}

reference::Trace reference_trace(const ScoreRequest& request) {
  reference::Trace trace{
      .prompt = request.prompt_tokens, .lanes = {}, .coupling = request.coupling, .stride = request.stride};
  for (size_t m = 0; m < request.lanes.size(); ++m) {
    trace.lanes.push_back({.tokens = request.lanes[m], .start_step = request.start_steps[m]});
  }
  return trace;
}

// In the order in which a score gives them: before each token of a lane.
support::AllLogits reference_logits(const reference::TorchModel& model, const ScoreRequest& request,
                                    const std::vector<double>& omega) {
  const auto after = model.logits(reference_trace(request), omega);
  support::AllLogits before;
  for (const auto& lane : after.lanes) {
    before.push_back({after.prompt});
    before.back().insert(before.back().end(), lane.begin(), lane.end() - 1);
  }
  return before;
}

class WholeModel : public testing::TestWithParam<const char*> {
 protected:
  // Scores each of `requests` and compares every logit.
  static void expect_reference(const std::string& file, const std::vector<ScoreRequest>& requests,
                               const std::vector<AdapterOptions>& adapters = {}) {
    Engine engine(support::load_model(file, BackEnd::ggml, adapters),
                  {.kv_cells = 640, .kv_type = KvType::f32});
    reference::TorchModel torch_model(file);
    for (const AdapterOptions& adapter : adapters) torch_model.add_adapter(adapter.file, adapter.scale);
    for (const ScoreRequest& request : requests) {
      const std::vector<double> omega(request.coupling.omega.begin(), request.coupling.omega.end());
      EXPECT_LT(support::relative_difference(support::all_logits(engine, request),
                                             reference_logits(torch_model, request, omega)),
                tolerance)
          << name(request.coupling.kind) << ", " << request.lanes.size() << " lanes";
    }
  }
};

TEST_P(WholeModel, IsTheReferenceForEveryCouplingAndNumberOfLanes) {
  std::vector<ScoreRequest> requests;
  for (const int32_t n : {1, 2, 3, 4, 8}) {
    for (const Coupling& coupling : couplings(some_omega(pairs_of(GetParam())))) {
      if (n == 3 || n == 8 || coupling.visibility == Visibility::inclusive)
        requests.push_back(trace_of(n, coupling));
    }
  }
  expect_reference(support::write_model(small(GetParam())), requests);
}

TEST_P(WholeModel, TakesAnOmegaOfItsOwnInEachLayer) {
  expect_reference(support::write_model(small(GetParam())),
                   {trace_of(4, {.kind = CouplingKind::lanerope,
                                 .init = OmegaInit::given,
                                 .omega = some_omega(pairs_of(GetParam()) * small(GetParam()).n_layer)})});
}

TEST_P(WholeModel, FollowsEveryRopeScalingAndATiedOutput) {
  tools::RandomModel linear = small(GetParam());
  linear.rope_scaling = core::RopeScaling::linear;
  linear.rope_factor = 4;
  linear.tied = true;
  tools::RandomModel yarn = small(GetParam());
  yarn.rope_scaling = core::RopeScaling::yarn;
  yarn.rope_factor = 4;
  yarn.rope_original_context = 64;
  tools::RandomModel llama3 = small(GetParam());
  llama3.llama3_rope_freqs = true;
  llama3.rope_factor = 8;
  llama3.rope_original_context = 64;
  llama3.rope_base = 500000;
  for (const tools::RandomModel& model : {linear, yarn, llama3}) {
    std::vector<ScoreRequest> requests;
    for (const Coupling& coupling : couplings(some_omega(pairs_of(GetParam()))))
      requests.push_back(trace_of(3, coupling));
    expect_reference(support::write_model(model), requests);
  }
}

// Query heads that do not share keys, heads wider than the model by far, and one that has a single KV head.
TEST_P(WholeModel, TakesHeadsOfAnyNumberAndWidth) {
  for (const auto& [n_head, n_head_kv, head_dim] :
       {std::tuple{3, 3, 16}, std::tuple{4, 1, 32}, std::tuple{2, 2, 24}}) {
    tools::RandomModel model = small(GetParam());
    model.n_head = n_head;
    model.n_head_kv = n_head_kv;
    model.head_dim = head_dim;
    expect_reference(support::write_model(model), {trace_of(3, {.kind = CouplingKind::groupthink})});
  }
}

// Products of f16 weights and attention over f16 cells, norms and gates inside: rounded, and the same
// computation.
TEST_P(WholeModel, IsWhatTheKernelsComputeToo) {
  tools::RandomModel model = small(GetParam());
  model.type = "f16";
  model.n_expert_used = model.n_expert;  // rounded scores that nearly tie may choose other experts
  const std::string file = support::write_model(model);
  Engine engine(support::load_model(file, BackEnd::kernels), {.kv_cells = 512});
  reference::TorchModel torch_model(file);
  for (const Coupling& coupling : couplings(some_omega(pairs_of(GetParam())))) {
    const ScoreRequest request = trace_of(4, coupling);
    const std::vector<double> omega(coupling.omega.begin(), coupling.omega.end());
    EXPECT_LT(support::relative_difference(support::all_logits(engine, request),
                                           reference_logits(torch_model, request, omega)),
              2e-3)
        << name(coupling.kind);
  }
}

TEST_P(WholeModel, AddsAdaptersAtTheirScales) {
  const std::string base = support::write_model(small(GetParam()));
  const std::string one = support::write_adapter({.rank = 3, .alpha = 6, .strength = 0.4F}, base);
  const std::string two = support::write_adapter(
      {.rank = 1, .alpha = 0, .targets = {"attn_q", "ffn_down", "ffn_gate_inp"}, .output = true, .seed = 99},
      base);
  const auto requests = {trace_of(3, {.kind = CouplingKind::groupthink})};
  expect_reference(base, requests, {{.file = one, .scale = 1}});
  expect_reference(base, requests, {{.file = one, .scale = 0.5F}, {.file = two, .scale = -1.5F}});
}

INSTANTIATE_TEST_SUITE_P(Architectures, WholeModel,
                         testing::Values("llama", "qwen2", "qwen3", "qwen3moe", "olmo2", "gemma2", "gemma3",
                                         "mistral3", "granite", "smollm3", "phi3", "glm4", "gpt-oss"),
                         [](const auto& param_info) { return support::test_name(param_info.param); });

// A base of quantised weights is multiplied as ggml does it, with rounded activations, so the product is
// compared with the reference more loosely: what must hold is that the adapter does the same to both.
class QuantisedBase : public testing::TestWithParam<std::tuple<BackEnd, const char*>> {};

TEST_P(QuantisedBase, TakesAdaptersAsLowRankProducts) {
  const auto [path, type] = GetParam();
  tools::RandomModel model = small("qwen2");
  model.width = 256;
  model.n_ffn = 256;
  model.head_dim = 64;
  model.type = type;
  const std::string base = support::write_model(model);
  const std::string adapter = support::write_adapter({.rank = 8, .alpha = 16, .strength = 0.5F}, base);
  const ScoreRequest request = trace_of(3, {.kind = CouplingKind::groupthink});
  Engine plain(support::load_model(base, path), {.kv_cells = 512});
  Engine adapted(support::load_model(base, path, {{.file = adapter}}), {.kv_cells = 512});
  reference::TorchModel torch_model(base);
  const support::AllLogits plain_reference = reference_logits(torch_model, request, {});
  torch_model.add_adapter(adapter, 1);
  const support::AllLogits adapted_reference = reference_logits(torch_model, request, {});

  const support::AllLogits with = support::all_logits(adapted, request);
  const double rounding = support::relative_difference(support::all_logits(plain, request), plain_reference);
  EXPECT_LT(rounding, 0.08) << "of the base alone";
  EXPECT_LT(support::relative_difference(with, adapted_reference), 4 * rounding + 2e-3);
  EXPECT_GT(support::relative_difference(with, plain_reference), 0.3)
      << "the adapter changes what the model says";

  ScoreRequest off = request;
  off.adapter_scales = {0};
  EXPECT_LT(
      support::relative_difference(support::all_logits(adapted, off), support::all_logits(plain, request)),
      1e-5)
      << "at scale 0 it is the base";
}

INSTANTIATE_TEST_SUITE_P(Types, QuantisedBase,
                         testing::Combine(testing::Values(BackEnd::ggml, BackEnd::kernels),
                                          testing::Values("f16", "q8_0", "q4_0", "q4_k_m")),
                         [](const auto& param_info) {
                           return std::string(name(std::get<0>(param_info.param))) + "_" +
                                  std::get<1>(param_info.param);
                         });

}  // namespace
}  // namespace lanerope::model
