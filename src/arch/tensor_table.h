// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "arch/model_config.h"

namespace lanerope::arch {

// What a tensor is in the decoder. Names are GGUF's: stem(Role::attn_q) is "attn_q".
enum class Role {
  token_embd,
  attn_norm,
  attn_q,
  attn_k,
  attn_v,
  attn_q_norm,
  attn_k_norm,
  attn_sinks,
  attn_output,
  post_attention_norm,
  ffn_norm,
  ffn_gate_inp,  // the router
  ffn_gate_exps,
  ffn_up_exps,
  ffn_down_exps,
  ffn_gate,
  ffn_up,
  ffn_down,
  post_ffw_norm,
  bridge_norm,
  bridge_q,
  bridge_k,
  bridge_v,
  bridge_output,
  output_norm,
  output,
};
inline constexpr size_t n_roles = static_cast<size_t>(Role::output) + 1;

std::string_view stem(Role role);
std::optional<Role> find_role(std::string_view stem);

// One tensor of a model's file.
struct TensorSpec {
  Role role = Role::token_embd;
  int32_t layer = -1;     // -1: of no layer
  std::string name = {};  // "blk.3.attn_q.weight"
  // ggml order: [n_in, n_out, 1], [length, 1, 1], or [n_in, n_out, n_expert].
  std::array<int64_t, 3> ne = {0, 1, 1};
  // y = W x + bias; adapters may change it. A bias lies beside it where the file has one.
  bool linear = false;
  bool experts = false;  // a linear for each expert, which no adapter changes
  bool bias = false;     // the bias of one of these, which files of the architecture have
};

// All tensors of a model, in the order in which files have them. A tied output has no entry.
std::vector<TensorSpec> tensor_table(const ModelConfig& config);

// Whether it is one of the blocks that the coupling bridge exchanges through, which adapters do not change.
bool is_of_bridge(Role role);

// "blk.3.attn_q", or "output" where the layer is -1.
std::string tensor_stem(Role role, int32_t layer);

// The linears that an adapter may change, by their stems: "attn_q, attn_k, ... and output".
std::vector<std::string_view> lora_targets();

// Rows of q and k whose rotary pairs lie side by side in the file: (2t, 2t + 1).
bool has_adjacent_pairs(const ModelConfig& config, Role role);

}  // namespace lanerope::arch
