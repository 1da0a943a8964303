// SPDX-License-Identifier: Apache-2.0
// A real model on devices against the same on the CPU; run by script/test-vulkan.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "lanerope/devices.h"
#include "lanerope/engine.h"

namespace lanerope::model {
namespace {

// Mean difference of the log-probabilities of a text's tokens: each side rounds activations in its own way.
constexpr double rounding = 0.1;

ScoreRequest trace_of_text(const Model& model, const Coupling& coupling) {
  const auto tokens = [&model](const char* text) {
    return model.encode(text, {.add_special = false, .parse_special = false});
  };
  return {.prompt_tokens =
              tokens("The four seasons are spring, summer, autumn and winter. Here is a word about each."),
          .lanes = {tokens(" In spring the days grow longer and the trees have new leaves."),
                    tokens(" Summer is warm, and many people go to the sea."),
                    tokens(" In autumn the leaves turn red and yellow before they fall."),
                    tokens(" Winter is cold; in the mountains there is snow.")},
          .start_steps = {0, 0, 3, 5},
          .coupling = coupling,
          .stride = 64};
}

std::vector<double> log_probabilities(const std::shared_ptr<const Model>& model, const Coupling& coupling) {
  Engine engine(model, {.kv_cells = 640});
  std::vector<double> values;
  for (const auto& lane : engine.score(trace_of_text(*model, coupling)).lanes) {
    for (const ScoredToken& token : lane) values.push_back(token.logprob);
  }
  return values;
}

TEST(VulkanSmolLM2, SaysWhatTheCpuSaysForEveryCoupling) {
  const std::vector<std::string> names = device_names();
  if (std::ranges::find(names, "Vulkan1") == names.end())
    GTEST_SKIP() << "ggml found no two Vulkan devices here; run script/test-vulkan";
  if (!std::filesystem::exists(LANEROPE_SMOLLM2)) return;  // script/model smollm2 brings it
  const auto on_cpu = Model::load({.file = LANEROPE_SMOLLM2, .threads = 1, .back_end = BackEnd::ggml});
  // Most of it on two devices, and the first layers on the CPU, by the kernels.
  const auto on_devices =
      Model::load({.file = LANEROPE_SMOLLM2, .device = "Vulkan0,Vulkan1", .gpu_layers = 21, .threads = 1});
  const std::vector<Coupling> all = {{.kind = CouplingKind::independent},
                                     {.kind = CouplingKind::lanerope, .init = OmegaInit::ntk_by_parts},
                                     {.kind = CouplingKind::groupthink},
                                     {.kind = CouplingKind::hogwild}};
  for (const Coupling& coupling : all) {
    const std::vector<double> expected = log_probabilities(on_cpu, coupling);
    const std::vector<double> said = log_probabilities(on_devices, coupling);
    ASSERT_EQ(said.size(), expected.size());
    double sum = 0;
    for (size_t t = 0; t < said.size(); ++t) sum += std::abs(said[t] - expected[t]);
    EXPECT_LT(sum / static_cast<double>(said.size()), rounding) << name(coupling.kind);
  }
}

}  // namespace
}  // namespace lanerope::model
