// SPDX-License-Identifier: Apache-2.0
// Random models of each architecture for the trainer's tests, and what of two of them is compared.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "tests/support/random_models.h"
#include "train/train_model.h"

namespace lanerope::train {

inline tools::RandomModel small(const std::string& architecture = "qwen2") {
  if (architecture == "gemma2") {
    tools::RandomModel model = small("gemma3");
    model.architecture = architecture;
    model.n_layer = 3;
    model.score_cap = 1.5F;
    model.logit_cap = 4;
    return model;
  }
  if (architecture == "mistral3") {
    tools::RandomModel model = small("llama");
    model.architecture = architecture;
    model.rope_original_context = 4;
    model.rope_scaling = core::RopeScaling::yarn;
    model.rope_factor = 2;
    model.temperature = 0.1F;
    return model;
  }
  // Of gemma3 and smollm3 so many that the last is unlike the others.
  const int32_t n_layer = architecture == "gemma3" ? 6 : architecture == "smollm3" ? 4 : 2;
  return {.architecture = architecture,
          .n_layer = n_layer,
          .width = 32,
          .n_head = 4,
          .n_head_kv = 2,
          .head_dim = 16,
          .n_ffn = 64,
          .context = 256,
          .window = architecture == "gemma3" ? 6 : 0};
}

inline std::vector<float> values(const torch::Tensor& tensor) {
  const torch::Tensor flat = tensor.detach().contiguous();
  return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}

inline Coupling coupling_of(const TrainModel& model, Visibility visibility = Visibility::inclusive) {
  return {.init = OmegaInit::given, .omega = values(model.omega()), .visibility = visibility};
}

// The largest difference of any weight that both have.
inline double largest_weight_difference(const TrainModel& a, const TrainModel& b) {
  const auto others = b.parameters();
  double worst = 0;
  for (const auto& [name, tensor] : a.parameters()) {
    EXPECT_TRUE(others.contains(name)) << name;
    worst = std::max(worst, (tensor - others.at(name)).abs().max().item<double>());
  }
  return worst;
}

// A pair whose product is not zero, as it is before training.
inline void fill_adapter(const TrainModel& model) {
  const torch::NoGradGuard no_gradients;
  torch::manual_seed(5);
  for (const auto& [name, tensor] : model.trained()) tensor.normal_(0, 0.1);
}

}  // namespace lanerope::train
