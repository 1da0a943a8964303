// SPDX-License-Identifier: Apache-2.0
// A device that is not the CPU, in earnest: run by script/test-vulkan, where Vulkan has a driver.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "lanerope/devices.h"
#include "lanerope/engine.h"
#include "tests/model/scored_traces.h"
#include "tests/support/random_models.h"

namespace lanerope::model {
namespace {

constexpr auto device = "Vulkan0";
constexpr auto other_device = "Vulkan1";
// The largest difference of two logits over the largest logit, f32 weights and f32 cells on both sides. What
// the CPU says is held against doubles in whole_model_test.cpp; libtorch, which computes them, and lavapipe
// do not live in one process. Vulkan's products of many columns round their factors to f16.
constexpr double tolerance = 1e-2;

std::shared_ptr<const Model> load(const std::string& file) {
  return Model::load({.file = file, .device = device, .threads = 1});
}

class Vulkan : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const std::vector<std::string> names = device_names();
    if (std::ranges::find(names, device) == names.end())
      GTEST_SKIP() << "ggml found no Vulkan device here; run script/test-vulkan";
  }

  static tools::RandomModel small() { return model_of_layers(GetParam(), 2); }
};

TEST_P(Vulkan, GivesTheLogitsOfTheCpuForEveryCoupling) {
  const std::string file = support::write_model(small());
  Engine engine(load(file), {.kv_cells = 640, .kv_type = KvType::f32});
  Engine on_cpu(support::load_model(file, BackEnd::ggml), {.kv_cells = 640, .kv_type = KvType::f32});
  for (const int32_t n : {1, 8}) {
    for (const Coupling& coupling : couplings(some_omega(8))) {
      const ScoreRequest request = trace_of(n, coupling);
      EXPECT_LT(support::relative_difference(support::all_logits(engine, request),
                                             support::all_logits(on_cpu, request)),
                tolerance)
          << name(coupling.kind) << ", " << n << " lanes";
    }
  }
}

// Layers of their own on the CPU, cells and all.
TEST_P(Vulkan, LeavesLayersToTheCpu) {
  const std::string file = support::write_model(small());
  Engine on_cpu(support::load_model(file, BackEnd::ggml), {.kv_cells = 640, .kv_type = KvType::f32});
  const ScoreRequest request = trace_of(3, {.kind = CouplingKind::groupthink});
  for (const int32_t gpu_layers : {0, 1, 2, 3}) {
    Engine engine(Model::load({.file = file, .device = device, .gpu_layers = gpu_layers, .threads = 1}),
                  {.kv_cells = 640, .kv_type = KvType::f32});
    EXPECT_LT(support::relative_difference(support::all_logits(engine, request),
                                           support::all_logits(on_cpu, request)),
              tolerance)
        << gpu_layers << " layers on the device";
  }
}

// Two devices (both are lavapipe), and the CPU for some tensors: whatever is where, the numbers are the same.
TEST_P(Vulkan, SplitsAModelOverDevicesAndTensors) {
  const std::vector<std::string> names = device_names();
  ASSERT_NE(std::ranges::find(names, other_device), names.end()) << "script/test-vulkan makes two";
  const std::string both = std::string(device) + "," + other_device;
  const std::vector<ModelOptions> all = {
      {.device = both},
      {.device = both, .tensor_split = {1, 3}},
      {.device = both, .gpu_layers = 2, .tensor_split = {1, 1}},
      {.device = both, .split_mode = SplitMode::none, .main_gpu = 1},
      {.device = both, .override_tensor = "blk.0.ffn_(up|down)=CPU,attn_v=Vulkan1,token_embd=Vulkan0"},
      {.device = device, .gpu_layers = 1, .override_tensor = "blk.0.attn_q=Vulkan0,output_norm=CPU"},
  };
  for (const bool tied : {false, true}) {
    tools::RandomModel model = small();
    model.tied = tied;
    const std::string file = support::write_model(model);
    const std::string adapter = support::write_adapter({}, file);
    Engine on_cpu(support::load_model(file, BackEnd::ggml, {{.file = adapter}}),
                  {.kv_cells = 640, .kv_type = KvType::f32});
    const ScoreRequest request = trace_of(3, {.kind = CouplingKind::hogwild});
    const support::AllLogits expected = support::all_logits(on_cpu, request);
    for (ModelOptions options : all) {
      options.file = file;
      options.adapters = {{.file = adapter}};
      options.threads = 1;
      Engine engine(Model::load(options), {.kv_cells = 640, .kv_type = KvType::f32});
      EXPECT_LT(support::relative_difference(support::all_logits(engine, request), expected), tolerance)
          << options.device << ", " << options.gpu_layers << " layers, " << options.override_tensor;
    }
  }
}

// What stays on the CPU is computed by the kernels, in the same step: to the bit what they say alone where
// all of it stays.
TEST_P(Vulkan, LeavesWhatIsOnTheCpuToTheKernels) {
  tools::RandomModel model = small();
  model.type = "f16";  // which the kernels multiply with whole activations, and plain ggml with rounded ones
  const std::string file = support::write_model(model);
  const std::string adapter = support::write_adapter({}, file);
  const std::vector<ModelOptions> all = {
      {.gpu_layers = 1},
      {.gpu_layers = 2},
      {.override_tensor = "ffn=CPU"},
      {.override_tensor = "attn=CPU"},
      {.gpu_layers = 2, .override_tensor = "ffn_up=Vulkan0,blk.1.attn_k=CPU"},
  };
  Engine on_cpu(support::load_model(file, BackEnd::kernels, {{.file = adapter}}), {.kv_cells = 640});
  const auto load_with = [&](ModelOptions options) {
    options.file = file;
    options.adapters = {{.file = adapter}};
    options.device = device;
    options.threads = 1;
    return Model::load(options);
  };
  for (const int32_t n : {1, 5}) {
    for (const CouplingKind kind :
         {CouplingKind::independent, CouplingKind::groupthink, CouplingKind::hogwild}) {
      const ScoreRequest request = trace_of(n, {.kind = kind});
      const support::AllLogits expected = support::all_logits(on_cpu, request);
      Engine nothing_there(load_with({.gpu_layers = 0}), {.kv_cells = 640});
      EXPECT_EQ(support::all_logits(nothing_there, request), expected) << name(kind) << ", " << n << " lanes";
      for (const ModelOptions& options : all) {
        Engine engine(load_with(options), {.kv_cells = 640});
        EXPECT_LT(support::relative_difference(support::all_logits(engine, request), expected), tolerance)
            << name(kind) << ", " << n << " lanes, " << options.gpu_layers << " layers, "
            << options.override_tensor;
      }
    }
  }
}

// The matrices of experts on the CPU, all or some of them, and the rest on the device.
TEST(VulkanExperts, MayStayOnTheCpu) {
  const std::vector<std::string> names = device_names();
  if (std::ranges::find(names, device) == names.end())
    GTEST_SKIP() << "ggml found no Vulkan device here; run script/test-vulkan";
  // A token goes to all experts: where it goes to some, rounding sends one here and there to others.
  const std::string file = support::write_model({.architecture = "qwen3moe",
                                                 .n_layer = 2,
                                                 .width = 64,
                                                 .n_ffn = 32,
                                                 .n_expert = 4,
                                                 .n_expert_used = 4,
                                                 .n_vocab = 259,
                                                 .context = 512});
  const ScoreRequest request = trace_of(3, {.kind = CouplingKind::groupthink});
  Engine on_cpu(support::load_model(file, BackEnd::ggml), {.kv_cells = 640});
  const support::AllLogits expected = support::all_logits(on_cpu, request);
  for (const char* overrides : {"", "ffn_.*_exps=CPU", "blk.0.ffn_.*_exps=CPU", "ffn_(up|down)_exps=CPU"}) {
    Engine engine(Model::load({.file = file, .device = device, .override_tensor = overrides, .threads = 1}),
                  {.kv_cells = 640});
    EXPECT_LT(support::relative_difference(support::all_logits(engine, request), expected), tolerance)
        << overrides;
  }
}

// A group that is pushed to, spawned into and forked says what it says on the CPU.
TEST_P(Vulkan, GivesTheTextsOfTheCpu) {
  const std::string file = support::write_model(small());
  const auto live = [](Engine& engine) {
    support::Runner runner(engine);
    const GroupId id = engine.submit(
        {.prompt = {.tokens = support::some_tokens(11, 1)},
         .lanes = 3,
         .budget = 14,
         .coupling = exactly({.kind = CouplingKind::groupthink}),
         .tag = "",  // which would be read in one pass, and the steps below would not be the clock
         .sampling = {.temperature = 0},
         .ignore_end = true,
         .logprobs = true});
    for (int32_t step = 0; runner.step(); ++step) {
      if (step == 3) engine.spawn(id, {.text = "fresh"});
      if (step == 6) engine.spawn(id, {.parent = 0, .fork_step = 4});
      if (step == 7) engine.push_text(id, 1, "hello");
    }
    return runner.run(id);
  };
  Engine on_device(load(file), {.kv_cells = 640, .kv_type = KvType::f32});
  Engine on_cpu(support::load_model(file, BackEnd::ggml), {.kv_cells = 640, .kv_type = KvType::f32});
  const support::GroupRun run = live(on_device);
  const support::GroupRun expected = live(on_cpu);
  ASSERT_EQ(run.result.lanes.size(), 5U);
  for (int32_t m = 0; m < 5; ++m) {
    ASSERT_EQ(run.tokens(m), expected.tokens(m)) << "lane " << m;
    const std::vector<float> said = run.logprobs(m);
    const std::vector<float> of_cpu = expected.logprobs(m);
    for (size_t t = 0; t < said.size(); ++t) EXPECT_NEAR(said[t], of_cpu[t], 0.05) << "lane " << m;
  }
}

// Cells of f16, which the device's fused attention takes where one product gives all scores: independent
// lanes, and the prompt of any.
TEST_P(Vulkan, FusesAttentionWhereLanesRotateNoKeys) {
  tools::RandomModel model = small();
  model.head_dim = 64;
  const std::string file = support::write_model(model);
  std::vector<int32_t> nodes;
  for (const KvType type : {KvType::f32, KvType::f16}) {
    Engine engine(load(file), {.kv_cells = 640, .kv_type = type});
    ScoreRequest together = trace_of(5, {.kind = CouplingKind::independent});
    together.start_steps.clear();  // one that came late has the prompt rotated to where it stands
    support::all_logits(engine, together);
    nodes.push_back(engine.state().graph_nodes);
  }
  EXPECT_LT(nodes[1], nodes[0]) << "in place of products and a soft-max";
  for (const KvType type : {KvType::f16, KvType::q8_0}) {
    Engine engine(load(file), {.kv_cells = 640, .kv_type = type});
    Engine on_cpu(support::load_model(file, BackEnd::ggml), {.kv_cells = 640, .kv_type = type});
    for (const CouplingKind kind : {CouplingKind::independent, CouplingKind::groupthink}) {
      for (const int32_t n : {1, 5}) {
        const ScoreRequest request = trace_of(n, {.kind = kind});
        // A key that one of them rounds up and the other one down is 1/127 apart.
        EXPECT_LT(support::relative_difference(support::all_logits(engine, request),
                                               support::all_logits(on_cpu, request)),
                  type == KvType::q8_0 ? 2 * tolerance : tolerance)
            << name(kind) << ", " << n << " lanes, " << name(type);
      }
    }
  }
}

// The device sums its logits up for the sampler, which draws from the summaries what it draws from whole
// rows.
TEST_P(Vulkan, BringsBackWhatTheSamplerNeeds) {
  tools::RandomModel model = small();
  model.n_vocab = 4100;  // most of them without a token
  const auto loaded = load(support::write_model(model));
  Request request{.prompt = {.tokens = support::some_tokens(11, 1)},
                  .lanes = 4,
                  .budget = 24,
                  .coupling = exactly({.kind = CouplingKind::groupthink}),
                  .tag = "",
                  .sampling = {.temperature = 0.9F, .top_k = 40, .seed = 5},
                  .ignore_end = true,
                  .logprobs = true,
                  .top_logprobs = 3,
                  .certainty_window = 4};
  Engine with_summaries(loaded, {.kv_cells = 640});
  const support::GroupRun run = support::run_group(with_summaries, request);
  request.sampling.logit_bias = {{.token = 7, .bias = 0}};  // changes nothing, and needs whole rows
  Engine with_rows(loaded, {.kv_cells = 640});
  const support::GroupRun expected = support::run_group(with_rows, request);

  for (int32_t m = 0; m < 4; ++m) {
    EXPECT_EQ(run.tokens(m), expected.tokens(m)) << "lane " << m;
    const std::vector<float> said = run.logprobs(m);
    const std::vector<float> of_rows = expected.logprobs(m);
    for (size_t t = 0; t < said.size(); ++t) EXPECT_NEAR(said[t], of_rows[t], 1e-5) << "lane " << m;
    EXPECT_NEAR(run.result.lanes[m].certainty->self_certainty,
                expected.result.lanes[m].certainty->self_certainty, 1e-4);
  }
  const auto whole_row = static_cast<int64_t>(model.n_vocab * sizeof(float));
  const int64_t drawn = 4 * (*request.budget - 1);  // the first of each lane comes from the prompt's row
  EXPECT_GE(with_rows.state().device_bytes, drawn * whole_row);
  EXPECT_LE(with_summaries.state().device_bytes, drawn * 1024 + 2 * whole_row);
}

INSTANTIATE_TEST_SUITE_P(Architectures, Vulkan, testing::Values("llama", "gemma3"),
                         [](const auto& param_info) { return support::test_name(param_info.param); });

}  // namespace
}  // namespace lanerope::model
