// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "lanerope/coupling.h"

namespace lanerope::train {

// One group and one kv head: the piece of work that is never cut, so that sums have one order whatever the
// number of threads.
struct AttentionUnit {
  int64_t first = 0;  // row of the batch
  int32_t n_prompt = 0;
  int32_t head_kv = 0;
  std::span<const int32_t> lane = {};  // [n_tokens of the group]
  std::span<const int32_t> step = {};  // [n_tokens of the group]
  std::span<const int8_t> alone = {};  // [n_tokens of the group], or empty
  Visibility visibility = Visibility::inclusive;
  bool joint = true;
  int32_t second_stage = 0;  // from this token of the group on rows see all lanes; 0: none does
};

struct AttentionSizes {
  int32_t n_head = 0;
  int32_t n_head_kv = 0;
  int32_t head_dim = 0;
  float scale = 1.0F;
  float cap = 0;       // of scores; 0: none
  int32_t window = 0;  // of token indices; 0: all
};

// Of the whole batch, contiguous, head_dim fastest.
struct AttentionInputs {
  const float* q_prompt = nullptr;  // (n_tokens, n_head, head_dim)
  const float* q_lane = nullptr;    // (n_tokens, n_head, head_dim)
  const float* k = nullptr;         // (n_tokens, n_head_kv, head_dim)
  const float* v = nullptr;         // (n_tokens, n_head_kv, head_dim)
};

struct AttentionResults {
  float* out = nullptr;      // (n_tokens, n_head, head_dim)
  float* log_sum = nullptr;  // (n_tokens, n_head) logarithm to the base 2 of the sum of 2^(score / ln 2)
};

struct AttentionGradients {
  const float* out = nullptr;      // (n_tokens, n_head, head_dim) as forward gave it
  const float* log_sum = nullptr;  // (n_tokens, n_head) as forward gave it
  const float* d_out = nullptr;    // (n_tokens, n_head, head_dim)
  float* d_q_prompt = nullptr;     // (n_tokens, n_head, head_dim)
  float* d_q_lane = nullptr;       // (n_tokens, n_head, head_dim) null: added to d_q_prompt
  float* d_k = nullptr;            // (n_tokens, n_head_kv, head_dim)
  float* d_v = nullptr;            // (n_tokens, n_head_kv, head_dim)
};

// Writes every element of the unit's rows and heads; units may run at the same time.
void attention_forward(const AttentionUnit&, const AttentionSizes&, const AttentionInputs&,
                       const AttentionResults&);
void attention_backward(const AttentionUnit&, const AttentionSizes&, const AttentionInputs&,
                        const AttentionGradients&);

}  // namespace lanerope::train
