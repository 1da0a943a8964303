// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <string>

#include "train/train_config.h"

namespace lanerope {

// One step of training, as it is reported and as the curve keeps it.
struct TrainStep {
  int64_t step = 0;  // steps done
  int64_t steps = 0;
  int64_t tokens = 0;  // of the whole run
  double seconds = 0;  // of the whole run
  double loss = 0;
  double learning_rate = 0;
  double gradient_norm = 0;
  double tokens_per_second = 0;
  std::map<std::string, double> extra = {};  // measured at some steps: dev_loss, kl, ...
};

struct TrainCallbacks {
  std::function<void(const std::string&)> note = {};  // a sentence on what happens
  std::function<void(const TrainStep&)> step = {};    // after every step
  std::function<bool()> stop = {};                    // true: write a checkpoint and return
};

// Runs the training that the configuration describes, going on from the run folder's checkpoint where there
// is one, and writes the model (or adapter). Returns whether it came to its end. Throws the project's errors.
bool train(const TrainConfig& config, const TrainCallbacks& callbacks);

}  // namespace lanerope
