// SPDX-License-Identifier: Apache-2.0
#include "train/attention/dense_mask.h"

#include <algorithm>

#include "core/visibility.h"

namespace lanerope::train {

namespace {

PaddedGroups padded_groups(const AttentionLayout& layout) {
  const auto n_tokens = static_cast<int64_t>(layout.lane.size());
  const auto n_groups = static_cast<int64_t>(layout.groups.size());
  int64_t longest = 0;
  for (const GroupSpan& group : layout.groups) longest = std::max(longest, group.n_tokens);
  // The mask's rows must be aligned for the fused kernels of CUDA.
  const int64_t n_padded = (longest + 15) / 16 * 16;
  const PaddedGroups padded{.row = torch::full({n_groups * n_padded}, n_tokens, torch::kInt64),
                            .place = torch::full({n_tokens}, n_groups * n_padded, torch::kInt64),
                            .visible = torch::zeros({n_groups, 1, n_padded, n_padded}, torch::kBool),
                            .index = torch::zeros({n_groups, n_padded}, torch::kInt32),
                            .in_prompt = torch::zeros({n_tokens, 1, 1}, torch::kBool)};
  auto* row = padded.row.data_ptr<int64_t>();
  auto* place = padded.place.data_ptr<int64_t>();
  bool* visible = padded.visible.data_ptr<bool>();
  auto* index = padded.index.data_ptr<int32_t>();
  bool* in_prompt = padded.in_prompt.data_ptr<bool>();
  for (int64_t g = 0; g < n_groups; ++g) {
    const GroupSpan& group = layout.groups[g];
    std::fill_n(in_prompt + group.first, group.n_prompt, true);
    for (int64_t query = 0; query < n_padded; ++query) {
      bool* seen = visible + (g * n_padded + query) * n_padded;
      seen[query] = true;  // also where there is no token, so that no soft-max is over nothing
      if (query >= group.n_tokens) continue;
      row[g * n_padded + query] = group.first + query;
      place[group.first + query] = g * n_padded + query;
      index[g * n_padded + query] = static_cast<int32_t>(
          query < group.n_prompt ? query : group.n_prompt + layout.step[group.first + query]);
      for (int64_t key = 0; key < group.n_tokens; ++key) seen[key] = sees(layout, group, query, key);
    }
  }
  return padded;
}

}  // namespace

bool sees(const AttentionLayout& layout, const GroupSpan& group, int64_t query, int64_t key) {
  if (query < group.n_prompt) return key <= query;
  if (key < group.n_prompt) return true;
  const int32_t lane = layout.lane[group.first + query];
  const int32_t step = layout.step[group.first + query];
  const int32_t key_lane = layout.lane[group.first + key];
  const int32_t key_step = layout.step[group.first + key];
  if (key_lane == lane) return key_step <= step;
  const bool reads_all = group.second_stage > 0 && query >= group.second_stage;
  if (reads_all) return key < group.second_stage;
  if (!layout.joint || (!layout.alone.empty() && layout.alone[group.first + query] != 0)) return false;
  return key_step <= core::last_seen_step(layout.visibility, step, /*earlier_lane=*/key_lane < lane);
}

PaddedGroups DenseMask::on(const torch::Device& device, const AttentionLayout& layout) {
  const std::lock_guard lock(mutex_);
  if (!groups_.row.defined()) groups_ = padded_groups(layout);
  for (torch::Tensor* t :
       {&groups_.row, &groups_.place, &groups_.visible, &groups_.index, &groups_.in_prompt}) {
    *t = t->to(device);
  }
  return groups_;
}

}  // namespace lanerope::train
