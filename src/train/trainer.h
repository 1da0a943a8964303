// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "train/files/progress.h"
#include "train/train_config.h"

namespace lanerope::train {

struct TrainCallbacks {
  std::function<void(const std::string&)> note = {};       // a sentence on what happens
  std::function<void(const TrainingProgress&)> step = {};  // after every step
  std::function<bool()> stop = {};                         // true: write a checkpoint and return
};

// Runs the training that the configuration describes, going on from the run folder's checkpoint where there
// is one (check_goes_on), and writes the model (or adapter). The run folder gets checkpoint.pt, curve.jsonl,
// curve.html and, at the end, stage.json: the configuration with the tokens and the time it took. Returns
// whether it came to its end. Of several processes (ranks_from_environment) each takes its share of every
// step, and the first one writes. Throws the project's errors.
bool train(const TrainConfig& config, const TrainCallbacks& callbacks);

}  // namespace lanerope::train
