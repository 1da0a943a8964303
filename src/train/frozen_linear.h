// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <vector>

namespace lanerope::train {

// The low-rank pair of one of the linears that a frozen product is made of; undefined tensors where it has
// none.
struct LowRankPair {
  torch::Tensor a = {};   // (rank, n_in)
  torch::Tensor b = {};   // (n_out of its linear, rank)
  int64_t first_row = 0;  // of its linear in the product's outputs
};

// Linears that read the same input and whose weights do not learn, as one product; the pairs beside them
// learn.
struct FrozenLinear {
  torch::Tensor weight = {};            // (n_out, n_in), in the type that products are computed in
  torch::Tensor bias = {};              // (n_out) f32, or undefined
  std::vector<LowRankPair> pairs = {};  // of linears that have one; at most three
  double scale = 1;                     // of what pairs add
  torch::Tensor gate = {};  // (n, 1) f32, 0 where pairs add nothing; undefined: they do everywhere
};

// y (n, n_out) f32 of x (n, n_in) f32: W x + bias, and scale * B (A x) of each pair. Gradients go to x and to
// the pairs alone; of what the way back needs only x and A x are kept, in the type of the weight.
torch::Tensor frozen_linear(const torch::Tensor& x, const FrozenLinear& linear);

// log p of the targets, (n) f32, where logits are logit_scale * (head x): `x` (n, n_in) f32 and `head`
// (n_vocab, n_in), which does not learn, in the type that products are computed in; `targets` (n) i64. Logits
// are made, used and forgotten some rows at a time: a vocabulary of 150,000 would take more memory than the
// model. The gradient of x is made beside them, since it is d log p = logit_scale * (head[target] - softmax .
// head).
torch::Tensor target_log_probabilities(const torch::Tensor& x, const torch::Tensor& head,
                                       const torch::Tensor& targets, double logit_scale);

}  // namespace lanerope::train
