// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <mutex>

#include "train/attention/lane_attention.h"

namespace lanerope::train {

// Groups side by side in rows as long as the longest of them, on one device.
struct PaddedGroups {
  torch::Tensor row;        // (n_groups * n_padded) int64 row of the batch, n_tokens where there is none
  torch::Tensor place;      // (n_tokens) int64 where a row lies among them, n_groups * n_padded in no group
  torch::Tensor visible;    // (n_groups, 1, n_padded, n_padded) bool, of query and key
  torch::Tensor index;      // (n_groups, n_padded) int32 token index, 0 where there is no token
  torch::Tensor in_prompt;  // (n_tokens, 1, 1) bool
};

// Made when first asked for, and kept for the other layers of the batch.
class DenseMask {
 public:
  PaddedGroups on(const torch::Device&, const AttentionLayout&);

 private:
  std::mutex mutex_;
  PaddedGroups groups_ = {};
};

// Whether token `query` of the group sees token `key` of it.
bool sees(const AttentionLayout&, const GroupSpan&, int64_t query, int64_t key);

}  // namespace lanerope::train
