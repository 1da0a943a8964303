// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <map>
#include <memory>
#include <span>
#include <string>

#include "train/lane_batch.h"
#include "train/train_config.h"
#include "train/train_model.h"

namespace lanerope::train {

// What one batch adds to the loss, which is the sum over all batches divided by the sum of their counts.
struct BatchLoss {
  torch::Tensor sum;  // () with gradients
  int64_t count = 0;
  std::map<std::string, double> extra = {};  // sums as well, over the same count
};

// What a stage of training makes smaller.
class Objective {
 public:
  virtual ~Objective() = default;
  virtual BatchLoss loss(const TrainModel& model, std::span<const TokenGroup> groups) = 0;
};

// How the lanes of a run see one another: as the configuration says, or through the model's bridges.
BatchOptions batch_options(const TrainModel& model, const TrainConfig& config);

// The mean of -log p over all predicted tokens (pretrain, sft).
std::unique_ptr<Objective> make_likelihood(const BatchOptions& options, torch::Device device);

// How well a model does on groups with known texts.
struct DevResult {
  double loss = 0;    // mean of -log p a token
  double tokens = 0;  // share of tokens that are the likeliest
  double lanes = 0;   // share of lanes of which every token is
  double groups = 0;  // share of groups of which every lane is: what greedy decoding would write
  double n_tokens = 0;
  double n_lanes = 0;
  double n_groups = 0;
};

DevResult measure(const TrainModel& model, std::span<const TokenGroup> groups, const BatchOptions& options,
                  torch::Device device);

}  // namespace lanerope::train
