// SPDX-License-Identifier: Apache-2.0
#include "model/batch_builder.h"

#include <algorithm>
#include <cassert>
#include <map>

namespace lanerope::model {

BatchBuilder::BatchBuilder(std::span<const arch::AttentionClass> classes, size_t n_adapters)
    : classes_(classes) {
  batch_.plans.resize(classes.size());
  batch_.adapter_scales.resize(n_adapters);
}

BatchSlice BatchBuilder::append(std::span<const BatchRow> rows, std::span<const float> scales) {
  assert(scales.size() == batch_.adapter_scales.size());
  BatchSlice slice{.first_row = batch_.n_rows(),
                   .first_block = static_cast<int32_t>(batch_.plans.front().blocks.size())};
  for (const BatchRow& row : rows) {
    slice.outputs.push_back(row.output ? static_cast<int32_t>(batch_.outputs.size()) : -1);
    if (row.output) batch_.outputs.push_back(batch_.n_rows());
    batch_.tokens.push_back(row.token);
    batch_.positions.push_back(row.position);
    batch_.cells.push_back(row.cell);
    batch_.bridges.push_back(-1);
    for (size_t a = 0; a < scales.size(); ++a) batch_.adapter_scales[a].push_back(scales[a]);
  }
  return slice;
}

void BatchBuilder::bridge(std::span<const BatchRow> rows, int32_t first_row) {
  std::map<int32_t, int32_t> of_step;
  for (size_t r = 0; r < rows.size(); ++r) {
    if (rows[r].row.lane == core::prompt_row) continue;
    const auto [known, fresh] = of_step.try_emplace(rows[r].row.step, n_bridges_);
    if (fresh) ++n_bridges_;
    batch_.bridges[static_cast<size_t>(first_row) + r] = known->second;
  }
}

BatchSlice BatchBuilder::add(const core::GroupView& group, std::span<const BatchRow> rows,
                             std::span<const float> scales) {
  BatchSlice slice = append(rows, scales);
  std::vector<core::GroupRow> group_rows;
  for (const BatchRow& row : rows) group_rows.push_back(row.row);
  for (size_t c = 0; c < classes_.size(); ++c) {
    core::append_group(batch_.plans[c], group, group_rows,
                       {.index = static_cast<int32_t>(c), .window = classes_[c].window});
  }
  if (group.coupling->kind == CouplingKind::bridge) bridge(rows, slice.first_row);
  return slice;
}

BatchSlice BatchBuilder::add(core::AttentionBlock block, std::span<const BatchRow> rows,
                             std::span<const float> scales) {
  assert(classes_.size() == 1 && classes_.front().window == 0);
  BatchSlice slice = append(rows, scales);
  core::AttentionPlan& plan = batch_.plans.front();
  block.first_row = plan.n_rows;
  block.n_rows = static_cast<int32_t>(rows.size());
  plan.n_rows += block.n_rows;
  plan.blocks.push_back(std::move(block));
  return slice;
}

Batch BatchBuilder::finish() && {
  for (auto& scales : batch_.adapter_scales) {
    if (std::ranges::all_of(scales, [](float s) { return s == 0; })) scales.clear();
  }
  if (n_bridges_ == 0) batch_.bridges.clear();
  if (batch_.outputs.empty() && !batch_.empty()) batch_.outputs.push_back(batch_.n_rows() - 1);
  return std::move(batch_);
}

}  // namespace lanerope::model
