// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gguf/file.h"

#include <cstdint>
#include <string>

#include "core/theta.h"

namespace lanerope::model {

struct Architecture;

// The sizes and constants of a model, as its GGUF file states them.
struct Hyperparameters {
  const Architecture* architecture = nullptr;
  std::string name = {};
  int32_t n_layer = 0;
  int32_t n_embd = 0;
  int32_t n_head = 0;
  int32_t n_head_kv = 0;
  int32_t head_dim = 0;
  int32_t n_ffn = 0;
  int32_t n_vocab = 0;
  int32_t trained_context = 0;
  float rms_epsilon = 1e-5F;
  core::RopeParameters rope = {};

  int32_t kv_width() const { return head_dim * n_head_kv; }
  int32_t query_width() const { return head_dim * n_head; }
};

// Throws BadFile, naming the key, where one is missing or makes no sense.
Hyperparameters read_hyperparameters(const gguf::File& file);

}  // namespace lanerope::model
