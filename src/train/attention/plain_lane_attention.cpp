// SPDX-License-Identifier: Apache-2.0
#include <ATen/Functions.h>

#include <limits>

#include "train/attention/dense_mask.h"
#include "train/attention/lane_attention.h"

namespace lanerope::train {

torch::Tensor plain_lane_attention(const AttentionOperands& operands, const AttentionBatch& batch,
                                   const ScoreRule& rule) {
  const int64_t n_head = operands.q_prompt.size(1);
  const int64_t head_dim = operands.q_prompt.size(2);
  const int64_t repeats = n_head / operands.k.size(1);
  const auto n_groups = static_cast<int64_t>(batch.layout().groups.size());
  if (n_groups == 0) return torch::zeros_like(operands.q_prompt);
  const PaddedGroups padded = batch.dense_->on(operands.k.device(), batch.layout());
  const int64_t n_padded = padded.visible.size(2);

  // (n_tokens, heads, width) -> (n_groups, heads, n_padded, width)
  const auto side_by_side = [&](const torch::Tensor& x) {
    const torch::Tensor row_of_zeros = torch::zeros({1, x.size(1), x.size(2)}, x.options());
    return torch::cat({x, row_of_zeros})
        .index_select(0, padded.row)
        .view({n_groups, n_padded, x.size(1), x.size(2)})
        .transpose(1, 2);
  };
  // Both queries in one product: a key has its numbers in the half that meets it, and zeros in the other.
  torch::Tensor q = operands.q_prompt;
  torch::Tensor k = operands.k;
  if (!operands.q_prompt.is_same(operands.q_lane)) {
    q = torch::cat({operands.q_prompt, operands.q_lane}, 2);
    k = torch::cat({k * padded.in_prompt, k * padded.in_prompt.logical_not()}, 2);
  }
  q = side_by_side(q);                                // (n_groups, n_head, n_padded, width)
  k = side_by_side(k).repeat_interleave(repeats, 1);  // (n_groups, n_head, n_padded, width)
  const torch::Tensor v = side_by_side(operands.v).repeat_interleave(repeats, 1);

  torch::Tensor visible = padded.visible;  // (n_groups, 1, n_padded, n_padded)
  if (rule.window > 0) {
    const torch::Tensor apart = padded.index.unsqueeze(2) - padded.index.unsqueeze(1);
    visible = visible.logical_and((apart < rule.window).unsqueeze(1));
  }
  torch::Tensor out;  // (n_groups, n_head, n_padded, head_dim)
  if (operands.k.is_cuda() && rule.cap == 0) {
    out = at::scaled_dot_product_attention(q, k, v, visible, 0.0, false, rule.scale);
  } else {
    torch::Tensor scores = torch::matmul(q * rule.scale, k.transpose(2, 3));
    if (rule.cap > 0) scores = rule.cap * torch::tanh(scores / rule.cap);
    scores = scores.masked_fill(visible.logical_not(), -std::numeric_limits<double>::infinity());
    out = torch::matmul(torch::softmax(scores, 3), v);
  }
  out = out.transpose(1, 2).reshape({n_groups * n_padded, n_head, head_dim});
  return torch::cat({out, torch::zeros({1, n_head, head_dim}, out.options())}).index_select(0, padded.place);
}

}  // namespace lanerope::train
