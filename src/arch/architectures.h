// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "arch/model_config.h"

namespace lanerope::arch {

// What is particular to one architecture: a row of the table in architectures.cpp. What a row leaves out is
// the usual: norms before, no QK norm, SiLU, unit scales, one rope, no window.
struct Architecture {
  std::string_view name;  // general.architecture
  core::RopePairs pairs = core::RopePairs::halves;
  NormPlace norms = NormPlace::before;
  QkNorm qk_norm = QkNorm::none;
  Activation activation = Activation::silu;
  bool qkv_bias = false;
  bool biases = false;                          // of all other linears but the output's
  bool sinks = false;                           // a score a head that has no value
  std::string_view ffn_norm_stem = "ffn_norm";  // what files call the norm before the feed-forward layer
  bool scales_embedding = false;                // by the square root of n_embd
  bool multipliers = false;    // embedding_scale, residual_scale, attention.scale and logit_scale are read
  bool temperature = false;    // attention.temperature_scale is read
  int32_t rope_period = 0;     // every so-manyth layer is without RoPE; 0: none is
  bool experts = false;        // feed-forward layers are experts, expert_count of them
  bool fused_qkv = false;      // files hold q, k and v as the rows of attn_qkv
  bool fused_gate_up = false;  // files hold gate and up as the rows of ffn_up, in this order
  // Where there is a sliding window, every `window_period`th layer sees everything, with the file's rope and
  // its scaling; the others have the window and RoPE of rope.freq_base_swa.
  int32_t window_period = 0;      // where the file states none; 0: windows are not read
  int32_t window = 0;             // where the file states none; 0: then there is none
  float window_rope_base = 0;     // where the file states none; 0: rope.freq_base
  bool windows_rescaled = false;  // rope.scaling is of the layers with a window too
  // Soft-caps where the file states none; 0: then there are none.
  float score_cap = 0;
  float logit_cap = 0;
  // What no key says: the last word on a config that was read from a file.
  void (*finish)(ModelConfig& config) = nullptr;
};

std::span<const Architecture> architectures();
// nullptr for one that lanerope does not know.
const Architecture* find_architecture(std::string_view name);
// "llama, qwen2, qwen3, ..."
std::string architecture_names();

}  // namespace lanerope::arch
