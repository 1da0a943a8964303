// SPDX-License-Identifier: Apache-2.0
// A device that is not the CPU, in earnest: run by script/test-vulkan, where Vulkan has a driver.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "lanerope/engine.h"
#include "tests/model/scored_traces.h"
#include "tests/support/random_models.h"

namespace lanerope::model {
namespace {

constexpr auto device = "Vulkan0";
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

  static tools::RandomModel small() {
    return {.architecture = GetParam(),
            .n_layer = 2,
            .width = 64,
            .n_head = 4,
            .n_head_kv = 2,
            .head_dim = 16,
            .n_ffn = 96,
            .n_vocab = 259,
            .context = 512,
            .window = 5};
  }
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

INSTANTIATE_TEST_SUITE_P(Architectures, Vulkan, testing::Values("llama", "gemma3"),
                         [](const auto& param_info) { return support::test_name(param_info.param); });

}  // namespace
}  // namespace lanerope::model
