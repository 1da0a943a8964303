// SPDX-License-Identifier: Apache-2.0
#include "engine/attention_recorder.h"

#include <algorithm>

namespace lanerope::engine {

void AttentionRecorder::add(const Step& step, std::span<const model::AttentionMass> shares) {
  const size_t first = rows_.size();
  int32_t n_lanes = 0;
  for (const core::GroupRow& row : step.rows) n_lanes = std::max(n_lanes, row.lane + 1);
  const int32_t base_row = step.plan.blocks[step.first_block].first_row;
  // The plan's other blocks are other groups'.
  const auto is_own = [&](size_t index) {
    const core::AttentionBlock& block = step.plan.blocks[index];
    const int64_t end = int64_t{block.first_row} + block.n_rows - base_row;
    return index >= static_cast<size_t>(step.first_block) && end <= std::ssize(step.rows);
  };
  for (size_t i = 0; i < step.plan.blocks.size(); ++i) {
    if (!is_own(i)) continue;
    for (const auto& segment : step.plan.blocks[i].segments) n_lanes = std::max(n_lanes, segment.owner + 1);
  }
  const int32_t slots = 1 + n_lanes;
  for (const core::GroupRow& row : step.rows) {
    rows_.push_back({.row = {.lane = row.lane, .step = row.step},
                     .shares = std::vector<float>(static_cast<size_t>(slots) * n_head_ * n_layer_),
                     .n_lanes = n_lanes});
  }

  for (const model::AttentionMass& layer : shares) {
    if (!is_own(static_cast<size_t>(layer.block))) continue;
    const core::AttentionBlock& block = step.plan.blocks[layer.block];
    const auto offset = static_cast<int64_t>(block.first_row) - base_row;
    const auto n_segments = static_cast<int64_t>(layer.segments.size());
    for (int64_t head = 0; head < n_head_; ++head) {
      for (int64_t r = 0; r < block.n_rows; ++r) {
        float* out = rows_[first + offset + r].shares.data() + (layer.layer * n_head_ + head) * slots;
        const float* in = layer.values.data() + (head * block.n_rows + r) * n_segments;
        for (int64_t s = 0; s < n_segments; ++s)
          out[block.segments[layer.segments[s]].owner - core::prompt_row] += in[s];
      }
    }
  }
}

AttentionRecord AttentionRecorder::record() const {
  AttentionRecord result{.n_layer = n_layer_, .n_head = n_head_};
  for (const Row& row : rows_) result.n_lanes = std::max(result.n_lanes, row.n_lanes);
  const int32_t slots = 1 + result.n_lanes;
  const auto heads = static_cast<size_t>(n_head_) * n_layer_;
  for (const Row& row : rows_) {
    result.rows.push_back(row.row);
    const int32_t row_slots = 1 + row.n_lanes;
    for (size_t head = 0; head < heads; ++head) {
      const float* shares = row.shares.data() + head * row_slots;
      result.shares.insert(result.shares.end(), shares, shares + row_slots);
      result.shares.insert(result.shares.end(), slots - row_slots, 0.0F);
    }
  }
  return result;
}

}  // namespace lanerope::engine
