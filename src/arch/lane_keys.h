// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "arch/model_config.h"
#include "gguf/file.h"
#include "gguf/writer.h"
#include "lanerope/model.h"

namespace lanerope::arch {

// The `lanerope.*` keys of a model or an adapter; nothing where it was not trained with lanes. Throws
// BadFile.
std::optional<LaneTraining> read_lane_training(const gguf::File& file);

// Sets them, so that read_lane_training gives `training` back; `on_prompt` says whether an adapter is on
// while the prompt is read.
void write_lane_training(gguf::Writer& writer, const LaneTraining& training, bool on_prompt);

// Throws InvalidRequest where omega does not fit the model.
void check_omega(const LaneTraining& training, const ModelConfig& config);

}  // namespace lanerope::arch
