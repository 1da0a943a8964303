// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "train/attention/row_operations.h"
#include "train/train_model.h"

namespace lanerope::train {

// What the layers of one forward pass share: by what every row is rotated, and where adapters work.
struct TrainModel::Rotated {
  std::vector<torch::Tensor> token_angles = {};  // [ropes of the config] (n_rows, head_dim / 2)
  std::vector<PairAngles> token = {};            // [ropes]
  std::vector<PairAngles> lane = {};             // [ropes] the token's and the lane's angle together
  std::shared_ptr<const LaneBatch> batch =
      {};                           // shares its tensors; layers computed again outlive the caller's
  torch::Tensor adapter_gate = {};  // (n_rows, 1) undefined: everywhere
  AdapterUse use = AdapterUse::on;
};

}  // namespace lanerope::train
