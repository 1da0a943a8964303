// SPDX-License-Identifier: Apache-2.0
#include "engine/step_batch.h"

#include <algorithm>

namespace lanerope {

namespace {

void append_share(StepBatch& step, Group& group, std::vector<GroupRow> rows) {
  Batch& batch = step.batch;
  StepBatch::Share share{.group = &group,
                         .rows = std::move(rows),
                         .first_row = batch.n_rows(),
                         .first_block = static_cast<int32_t>(batch.plan.blocks.size()),
                         .outputs = {}};
  for (const GroupRow& row : share.rows) {
    const bool of_prompt = row.lane == prompt_row;
    const bool output = of_prompt ? row.step + 1 == group.n_prompt() : group.wants_logits(row);
    share.outputs.push_back(output ? static_cast<int32_t>(batch.outputs.size()) : -1);
    if (output) batch.outputs.push_back(batch.n_rows());
    batch.tokens.push_back(of_prompt ? group.prompt().tokens[row.step] : group.token_at(row));
    batch.positions.push_back(of_prompt ? row.step : group.n_prompt() + row.step);
    batch.cells.push_back(of_prompt ? group.prompt().cell_of(row.step) : group.cell_at(row));
    append_scales(batch, of_prompt ? group.request().prompt_scales : group.request().lane_scales);
  }
  append_group(batch.plan, group.view(share.rows), share.rows);
  if (group.request().request.attention != AttentionRecording::none) batch.record = AttentionDetail::shares;
  step.shares.push_back(std::move(share));
}

}  // namespace

void append_scales(Batch& batch, const std::vector<float>& scales) {
  for (size_t a = 0; a < scales.size(); ++a) batch.adapter_scales[a].push_back(scales[a]);
}

void finish_batch(Batch& batch) {
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
    if (group->state() == GroupState::running) append_share(step, *group, group->decode_rows());
  }
  for (const auto& group : groups) {
    const int32_t room = options.batch_rows - step.batch.n_rows();
    if (room <= 0) break;
    if (group->state() != GroupState::reading || group->waits_for_prefix()) continue;
    std::vector<GroupRow> rows;
    const int32_t from = group->prompt().read;
    const int32_t to = std::min(group->n_prompt(), from + room);
    for (int32_t i = from; i < to; ++i) rows.push_back({.lane = prompt_row, .step = i});
    append_share(step, *group, std::move(rows));
  }
  finish_batch(step.batch);
  return step;
}

}  // namespace lanerope
