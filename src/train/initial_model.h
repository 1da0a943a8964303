// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "train/train_config.h"
#include "train/train_model.h"

namespace lanerope::train {

// The model that a run begins with: random weights, or the base with its adapter, bridges and omega. Throws
// what reading files throws, and InvalidRequest where the configuration asks for what does not go with them.
TrainModel initial_model(const TrainConfig& config);

}  // namespace lanerope::train
