// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "engine/engine_impl.h"
#include "engine/step_batch.h"
#include "lanerope/errors.h"
#include "model/loaded_model.h"

namespace lanerope {

namespace {

// The tokens of one segment that the row saw: which they are, and where they lie in the recorded weights.
struct Seen {
  AttentionProbe::Part part;
  int64_t offset = 0;
};

std::vector<Seen> seen_parts(const core::AttentionBlock& block, const core::GroupView& view,
                             const model::AttentionMass& layer) {
  std::vector<Seen> parts;
  int32_t prompt_index = 0;
  int64_t offset = 0;
  for (size_t s = 0; s < block.segments.size(); ++s) {
    const core::SegmentView& segment = block.segments[s];
    const core::CellRange visible = block.row(0)[s].visible;
    const int32_t index = prompt_index;
    if (block.owners[s] == core::prompt_row) prompt_index += segment.length;
    if (std::ranges::find(layer.segments, static_cast<int32_t>(s)) == layer.segments.end()) continue;
    Seen seen{.part = {.first_step = index + visible.begin, .n = visible.size()},
              .offset = offset + visible.begin};
    if (block.owners[s] != core::prompt_row) {
      // A fork's past lies in the cells of the lane that wrote it.
      const auto writer =
          std::ranges::find(view.lanes, segment.cell, [](const core::LaneView& l) { return l.segment.cell; });
      seen.part.lane = static_cast<int32_t>(writer - view.lanes.begin());
      seen.part.first_step = writer->start_step + visible.begin;
    }
    parts.push_back(seen);
    offset += segment.length;
  }
  return parts;
}

}  // namespace

AttentionProbe Engine::probe(GroupId id, int32_t lane, int32_t step) {
  engine::Group& group = impl_->readable_group(id);
  const core::GroupRow row{.lane = lane, .step = step};
  if (!group.was_fed(row)) {
    throw InvalidRequest("lane " + std::to_string(lane) + " of the group has fed no token at step " +
                         std::to_string(step));
  }
  // The row writes its own cell again, with the values that are there already.
  model::Batch batch;
  batch.adapter_scales.resize(impl_->model->info().adapters.size());
  batch.tokens = {group.token_at(row)};
  batch.positions = {group.n_prompt() + step};
  batch.cells = {group.cell_at(row)};
  batch.record = model::AttentionDetail::weights;
  engine::append_scales(batch, group.request().lane_scales);
  engine::finish_batch(batch);
  const core::GroupView view = group.view({});
  core::append_group(batch.plan, view, std::span(&row, 1));
  impl_->forward.run(batch);

  const model::Hyperparameters& h = model::loaded(*impl_->model).h;
  AttentionProbe result{.n_layer = h.n_layer, .n_head = h.n_head};
  for (const model::AttentionMass& layer : impl_->forward.attention_masses()) {
    const std::vector<Seen> parts = seen_parts(batch.plan.blocks.front(), view, layer);
    const auto n_cells = static_cast<int64_t>(layer.values.size()) / h.n_head;
    if (result.parts.empty()) {
      for (const Seen& seen : parts) result.parts.push_back(seen.part);
    }
    for (int64_t head = 0; head < h.n_head; ++head) {
      for (const Seen& seen : parts) {
        const float* first = layer.values.data() + head * n_cells + seen.offset;
        result.weights.insert(result.weights.end(), first, first + seen.part.n);
      }
    }
  }
  return result;
}

}  // namespace lanerope
