// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "train/group_source.h"
#include "train/train_config.h"

namespace lanerope::train {

// A training run between two steps: going on from it gives the same curve as never having stopped.
struct Checkpoint {
  int64_t step = 0;    // steps done
  int64_t tokens = 0;  // read by all processes
  double seconds = 0;
  std::string config = {};  // as JSON
  GroupSourceState source = {};
  std::vector<int32_t> lanes = {};  // numbers of lanes that groups had so far
  std::map<std::string, torch::Tensor> parameters = {};
  std::map<std::string, torch::Tensor> optimizer = {};
};

// The file appears whole or not at all, whenever the program is killed. Throws SystemError.
void write_checkpoint(const std::string& path, const Checkpoint& checkpoint);

// Throws InvalidRequest where a run under this configuration cannot go on from the checkpoint: a setting that
// decides what is learned was another, or it has more steps already. Throws BadFile where the checkpoint
// holds no configuration.
void check_goes_on(const Checkpoint& checkpoint, const TrainConfig& config);

// Nothing where there is no such file. Throws BadFile where it is damaged.
std::optional<Checkpoint> read_checkpoint(const std::string& path);

}  // namespace lanerope::train
