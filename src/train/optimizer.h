// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "train/train_config.h"

namespace lanerope::train {

// Share of the full learning rate at a step: linear warm-up, then a cosine down to `final_share`.
double schedule(const TrainConfig& config, int64_t step);

// AdamW (beta 0.9 and 0.95; decay on matrices only; omega with its own learning rate), over torch's fused
// step. One thread.
class Optimizer {
 public:
  // Keeps the tensors; they are changed in place.
  Optimizer(const std::map<std::string, torch::Tensor>& parameters, const TrainConfig& config);

  // Scales the gradients so that their norm is at most config.clip, steps, and clears them. Returns the norm
  // before that.
  double step(int64_t step);

  // Names and tensors of what must go into a checkpoint.
  std::map<std::string, torch::Tensor> state() const;
  // Throws InvalidRequest where a tensor is missing.
  void restore(const std::map<std::string, torch::Tensor>& state);

 private:
  struct Slot {
    std::string name;
    torch::Tensor parameter;
    torch::Tensor mean;     // of the gradient, like parameter
    torch::Tensor square;   // of the gradient's square, like parameter
    torch::Tensor counter;  // () f32 steps
  };
  struct Family {  // that shares learning rate and decay
    double learning_rate = 0;
    double weight_decay = 0;
    std::vector<Slot> slots = {};
  };
  void for_each(const std::function<void(Slot&)>& visit);

  double clip_;
  TrainConfig config_;
  std::vector<Family> families_;
};

}  // namespace lanerope::train
