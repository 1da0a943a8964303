// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

namespace lanerope::train {

// Operations on the rows of a batch, each in one pass over memory forward and one backward. f32 on the CPU
// takes our kernels, whose results do not depend on the number of threads; anything else plain torch
// operations.

// x / root mean square of x over its last dimension * weight: x (..., width), weight (width).
torch::Tensor rms_norm(const torch::Tensor& x, const torch::Tensor& weight, double epsilon);

// silu(gate) * up, (n_tokens, n_ffn), of gate and up side by side, (n_tokens, 2 * n_ffn), which the way back
// needs: our kernels keep it in the type `kept`. It is the most that a layer keeps.
torch::Tensor swiglu(const torch::Tensor& gate_up, torch::ScalarType kept = torch::kFloat32);

// Angles of a batch and what they give. Gradients reach `angle`, whose numbers are not read; cos and sin are
// taken as constants.
struct PairAngles {
  torch::Tensor angle;  // (n_tokens, head_dim / 2) radians; undefined: no gradient is wanted
  torch::Tensor cos;    // (n_tokens, head_dim / 2)
  torch::Tensor sin;    // (n_tokens, head_dim / 2)
};

// Turns the pairs (t, t + head_dim / 2) of every head of x (n_tokens, n_head, head_dim).
torch::Tensor rotate_pairs(const torch::Tensor& x, const PairAngles& angles);

}  // namespace lanerope::train
