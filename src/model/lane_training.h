// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gguf/file.h"

#include <optional>

#include "lanerope/model.h"
#include "model/hyperparameters.h"

namespace lanerope::model {

// The `lanerope.*` keys of a model or an adapter; nothing where it was not trained with lanes. Throws
// BadFile.
std::optional<LaneTraining> read_lane_training(const gguf::File& file);

// Throws InvalidRequest where omega does not fit the model.
void check_omega(const LaneTraining& training, const Hyperparameters& h);

}  // namespace lanerope::model
