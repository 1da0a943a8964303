// SPDX-License-Identifier: Apache-2.0
#include "arch/architectures.h"

#include <cmath>

namespace lanerope::arch {

namespace {

using core::RopePairs;

// No key tells the 27 B models, whose scores are scaled by the width of a head that they do not have; the
// number of layers does.
template <int32_t n_layer_of_27b>
void scale_27b(ModelConfig& config) {
  if (config.n_layer() != n_layer_of_27b) return;
  const float width = static_cast<float>(config.n_embd) / static_cast<float>(config.attention().n_head);
  for (LayerConfig& layer : config.layers) layer.attention.scale = 1.0F / std::sqrt(width);
}

// A new architecture is an entry here; where its mathematics is new as well, a value of an enum of
// model_config.h and a branch in model/decoder.cpp. docs/architecture.md says what else there is to do.
constexpr Architecture all[] = {
    // The converter permutes q and k so that the pairs of a head are adjacent.
    {.name = "llama", .pairs = RopePairs::adjacent},
    {.name = "qwen2", .qkv_bias = true},
    {.name = "qwen3", .qk_norm = QkNorm::per_head},
    {.name = "qwen3moe", .qk_norm = QkNorm::per_head, .experts = true},
    // OLMo 2; OLMo 3 by its window.
    {.name = "olmo2", .norms = NormPlace::after, .qk_norm = QkNorm::whole_row, .window_period = 4},
    {.name = "gemma2",
     .norms = NormPlace::both,
     .activation = Activation::gelu,
     .scales_embedding = true,
     .window_period = 2,
     .window = 4096,
     .windows_rescaled = true,
     .score_cap = 50,
     .logit_cap = 30,
     .finish = scale_27b<46>},
    {.name = "gemma3",
     .norms = NormPlace::both,
     .qk_norm = QkNorm::per_head,
     .activation = Activation::gelu,
     .scales_embedding = true,
     .window_period = 6,
     .window_rope_base = 10000.0F,
     .finish = scale_27b<62>},
    // Its last norm of a block is called as other models' norm behind attention is.
    {.name = "gpt-oss",
     .activation = Activation::clamped_silu,
     .qkv_bias = true,
     .biases = true,
     .sinks = true,
     .ffn_norm_stem = "post_attention_norm",
     .experts = true,
     .window_period = 2,
     .window = 128,
     .windows_rescaled = true},
    {.name = "mistral3", .pairs = RopePairs::adjacent, .temperature = true},
    {.name = "granite", .pairs = RopePairs::adjacent, .multipliers = true},
    {.name = "smollm3", .pairs = RopePairs::adjacent, .rope_period = 4},
    {.name = "phi3", .fused_qkv = true, .fused_gate_up = true},
    {.name = "glm4", .pairs = RopePairs::adjacent, .norms = NormPlace::both, .fused_gate_up = true},
};

}  // namespace

std::span<const Architecture> architectures() {
  return all;
}

const Architecture* find_architecture(std::string_view name) {
  for (const Architecture& architecture : all) {
    if (architecture.name == name) return &architecture;
  }
  return nullptr;
}

std::string architecture_names() {
  std::string names;
  for (const Architecture& architecture : all) {
    if (!names.empty()) names += ", ";
    names += architecture.name;
  }
  return names;
}

}  // namespace lanerope::arch
