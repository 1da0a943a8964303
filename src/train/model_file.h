// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ggml.h>

#include <string>
#include <vector>

#include "lanerope/coupling.h"
#include "train/train_model.h"

namespace lanerope::train {

// What a file says of the lanes it was trained with; the `lanerope.*` keys of design section 5.
struct LaneFacts {
  Visibility visibility = Visibility::inclusive;
  SeesFrom sees_from = SeesFrom::start;
  PromptLane prompt_lane = PromptLane::own;
  std::string tag = {};
  std::string wait = {};            // empty: none
  std::string ready = {};           // the same
  std::vector<int32_t> lanes = {};  // numbers of lanes in the training data; empty: not trained with lanes
};

struct ModelFileOptions {
  std::string name = {};
  ggml_type type = GGML_TYPE_F16;  // of matrices; vectors are f32
  LaneFacts lanes = {};
};

// Writes the whole model, low-rank pairs worked in, as GGUF. Throws SystemError.
void write_model_file(const TrainModel& model, const std::string& path, const ModelFileOptions& options);

// Writes the low-rank pairs as a LoRA GGUF that llama.cpp loads too. Throws SystemError.
void write_adapter_file(const TrainModel& model, const std::string& path, const ModelFileOptions& options);

}  // namespace lanerope::train
