// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

namespace lanerope::train {

// y = W x + b, and while an adapter is trained + gain * B (A x). Tensors are undefined where absent.
struct TrainLinear {
  torch::Tensor weight = {};  // (n_out, n_in)
  torch::Tensor bias = {};    // (n_out)
  torch::Tensor lora_a = {};  // (rank, n_in)
  torch::Tensor lora_b = {};  // (n_out, rank)
};

struct TrainLayer {
  // Weights that do not learn of linears that read the same input, in one, of which the linears below are
  // views; undefined while weights learn.
  torch::Tensor frozen_qkv = {};           // (query_width + 2 kv_width, n_embd)
  torch::Tensor frozen_gate_up = {};       // (2 n_ffn, n_embd)
  torch::Tensor attn_norm = {};            // (n_embd), or undefined where norms stand behind
  torch::Tensor attn_q_norm = {};          // (head_dim) or (query_width), or undefined
  torch::Tensor attn_k_norm = {};          // (head_dim) or (kv_width), or undefined
  torch::Tensor post_attention_norm = {};  // (n_embd) or undefined
  torch::Tensor ffn_norm = {};             // (n_embd), or undefined where norms stand behind
  torch::Tensor post_ffw_norm = {};        // (n_embd) or undefined
  TrainLinear attn_q = {};                 // (query_width, n_embd)
  TrainLinear attn_k = {};                 // (kv_width, n_embd)
  TrainLinear attn_v = {};                 // (kv_width, n_embd)
  TrainLinear attn_output = {};            // (n_embd, query_width)
  TrainLinear ffn_gate = {};               // (n_ffn, n_embd)
  TrainLinear ffn_up = {};                 // (n_ffn, n_embd)
  TrainLinear ffn_down = {};               // (n_embd, n_ffn)
  torch::Tensor bridge_norm = {};          // (n_embd), or undefined where no bridge is behind the layer
  TrainLinear bridge_q = {};               // (bridge width, n_embd)
  TrainLinear bridge_k = {};               // (bridge width, n_embd)
  TrainLinear bridge_v = {};               // (bridge width, n_embd)
  TrainLinear bridge_output = {};          // (n_embd, bridge width)
};

}  // namespace lanerope::train
