// SPDX-License-Identifier: Apache-2.0
#include "engine/step_batch.h"

#include <algorithm>

namespace lanerope::engine {

namespace {

void append_slice(StepBatch& step, Group& group, std::vector<core::GroupRow> rows) {
  model::Batch& batch = step.batch;
  StepBatch::Slice slice{.group = &group,
                         .rows = std::move(rows),
                         .first_row = batch.n_rows(),
                         .first_block = static_cast<int32_t>(batch.plan.blocks.size()),
                         .outputs = {}};
  for (const core::GroupRow& row : slice.rows) {
    const bool of_prompt = row.lane == core::prompt_row;
    const bool output = of_prompt ? row.step + 1 == group.n_prompt() : group.wants_logits(row);
    slice.outputs.push_back(output ? static_cast<int32_t>(batch.outputs.size()) : -1);
    if (output) batch.outputs.push_back(batch.n_rows());
    batch.tokens.push_back(of_prompt ? group.prompt().tokens[row.step] : group.token_at(row));
    batch.positions.push_back(of_prompt ? row.step : group.n_prompt() + row.step);
    batch.cells.push_back(of_prompt ? group.prompt().cell_of(row.step) : group.cell_at(row));
    append_scales(batch, of_prompt ? group.request().prompt_scales : group.request().lane_scales);
  }
  core::append_group(batch.plan, group.view(slice.rows), slice.rows);
  if (group.request().request.attention != AttentionRecording::none)
    batch.record = model::AttentionDetail::mass;
  step.slices.push_back(std::move(slice));
}

}  // namespace

void append_scales(model::Batch& batch, const std::vector<float>& scales) {
  for (size_t a = 0; a < scales.size(); ++a) batch.adapter_scales[a].push_back(scales[a]);
}

void finish_batch(model::Batch& batch) {
  for (auto& scales : batch.adapter_scales) {
    if (std::ranges::all_of(scales, [](float s) { return s == 0; })) scales.clear();
  }
  if (batch.outputs.empty() && batch.n_rows() > 0) batch.outputs.push_back(batch.n_rows() - 1);
}

StepBatch assemble(std::vector<std::unique_ptr<Group>>& groups, const EngineOptions& options,
                   size_t n_adapters) {
  StepBatch step;
  step.batch.adapter_scales.resize(n_adapters);
  for (const auto& group : groups) {
    if (group->state() == GroupState::decode) append_slice(step, *group, group->decode_rows());
  }
  for (const auto& group : groups) {
    const int32_t room = options.batch_rows - step.batch.n_rows();
    if (room <= 0) break;
    if (group->state() != GroupState::prefill || group->waits_for_prefix()) continue;
    std::vector<core::GroupRow> rows;
    const int32_t from = group->prompt().read;
    const int32_t to = std::min(group->n_prompt(), from + room);
    for (int32_t i = from; i < to; ++i) rows.push_back({.lane = core::prompt_row, .step = i});
    append_slice(step, *group, std::move(rows));
  }
  finish_batch(step.batch);
  return step;
}

}  // namespace lanerope::engine
