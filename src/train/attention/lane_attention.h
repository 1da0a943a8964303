// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "lanerope/coupling.h"

namespace lanerope::train {

// Rows [first, first + n_tokens) of the batch are one group: its prompt first, then the tokens of its lanes
// step-major (step 0 of every lane that has it, then step 1 of every lane that has it, ...).
struct GroupSpan {
  int64_t first = 0;
  int64_t n_prompt = 0;
  int64_t n_tokens = 0;  // prompt included
  // Counted from `first`: from here on rows see all lanes of their group, in any layout. 0: there are none.
  int64_t second_stage = 0;
};

// Who sees whom in a batch of packed groups, in rows of the batch. Groups do not see one another.
struct AttentionLayout {
  std::vector<GroupSpan> groups = {};  // disjoint; rows in no group get zeros
  std::vector<int32_t> lane = {};      // [n_tokens of the batch] index of the lane; prompt: not read
  std::vector<int32_t> step = {};      // [n_tokens of the batch] on the clock, never falls within a group's
                                       // lanes; prompt: not read
  Visibility visibility = Visibility::inclusive;
  // [n_tokens of the batch] 1: a token of a lane that sees the prompt and its own lane only; empty: all see
  // others. Not read of prompts and of second stages.
  std::vector<int8_t> alone = {};
  bool joint = true;  // false: a lane sees only the prompt and itself; a second stage sees all
};

// What becomes of a product of a query and a key, and which keys are too far away.
struct ScoreRule {
  double scale = 1;    // of the product
  double cap = 0;      // c: the scaled score s becomes c * tanh(s / c); 0: it stays as it is
  int64_t window = 0;  // a token sees keys of token indices less than this before its own; 0: all. The first
                       // token of a group has index 0, and those of a step all have one
};

// A layout made ready once a batch, used by every layer of it. Cheap to copy; copies share the same content,
// which nothing changes.
class AttentionBatch {
 public:
  // Throws c10::Error when groups overlap or leave the batch, or when tokens are not step-major.
  explicit AttentionBatch(AttentionLayout);

  const AttentionLayout& layout() const { return *layout_; }
  int64_t n_tokens() const { return static_cast<int64_t>(layout_->lane.size()); }
  // Scores that a head computes in a forward pass without those that the mask leaves out, for MAC/s: each
  // costs head_dim multiplications twice forward, five times backward.
  int64_t n_visible() const;

 private:
  friend torch::Tensor plain_lane_attention(const struct AttentionOperands&, const AttentionBatch&,
                                            const ScoreRule&);
  std::shared_ptr<const AttentionLayout> layout_;
  std::shared_ptr<class DenseMask> dense_;
};

// Float tensors of one type and device. k is rotated already: prompt tokens by RoPE, lane tokens by RoPE and
// the lane rotation.
struct AttentionOperands {
  torch::Tensor q_prompt;  // (n_tokens, n_head, head_dim) queries as they meet prompt keys: RoPE only
  torch::Tensor
      q_lane;       // (n_tokens, n_head, head_dim) queries as they meet lane keys: RoPE and lane rotation;
                    // may be the same tensor as q_prompt (no lane rotation), which is then faster
  torch::Tensor k;  // (n_tokens, n_head_kv, head_dim)
  torch::Tensor v;  // (n_tokens, n_head_kv, head_dim)
};

// Softmax attention of every token over what it sees, (n_tokens, n_head, head_dim): head h reads kv head
// h / (n_head / n_head_kv). Differentiable (once) in all operands. f32 on
// the CPU takes our kernel, whose results do not depend on the number of threads; anything else
// plain_lane_attention.
torch::Tensor lane_attention(const AttentionOperands&, const AttentionBatch&, const ScoreRule&);

// The same by plain torch operations over a dense mask, for any float type and device.
torch::Tensor plain_lane_attention(const AttentionOperands&, const AttentionBatch&, const ScoreRule&);

}  // namespace lanerope::train
