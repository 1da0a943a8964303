// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "core/theta.h"

struct ggml_tensor;

namespace lanerope::model {

class GraphBuilder;
struct Weights;

// What is particular to one architecture: data, and the function that builds its graph. One file each; to add
// one, write such a file and name it in architecture.cpp (docs/architecture.md, "Where to add a model").
struct Architecture {
  std::string_view name;  // general.architecture
  core::RopePairs pairs = core::RopePairs::halves;
  bool qkv_bias = false;  // may be absent in the file all the same
  bool qk_norm = false;   // RMS norm of every query and key head before RoPE
  // Returns the logits [n_vocab, n_outputs].
  ggml_tensor* (*build)(GraphBuilder& graph, const Weights& weights) = nullptr;
};

extern const Architecture llama_architecture;
extern const Architecture qwen2_architecture;
extern const Architecture qwen3_architecture;

// nullptr for one that lanerope does not know.
const Architecture* find_architecture(std::string_view name);
// "llama, qwen2, qwen3"
std::string architecture_names();

}  // namespace lanerope::model
