// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "engine/engine_impl.h"
#include "lanerope/errors.h"
#include "model/loaded_model.h"

namespace lanerope {

namespace {

// The tokens of one segment that the row saw in the layers that see furthest.
struct Seen {
  AttentionProbe::Part part;
  int32_t segment = 0;
  int32_t begin = 0;  // cell of the segment
};

std::vector<Seen> seen_parts(const core::AttentionBlock& block, const core::GroupView& view) {
  std::vector<Seen> parts;
  for (size_t s = 0; s < block.segments.size(); ++s) {
    const core::AttentionBlock::Segment& segment = block.segments[s];
    const core::CellRange visible = block.row(0)[s].visible;
    if (visible.empty()) continue;
    if (segment.owner == core::prompt_row) {
      parts.push_back({.part = {.first_step = visible.begin, .n = visible.size()},
                       .segment = static_cast<int32_t>(s),
                       .begin = visible.begin});
      continue;
    }
    // A fork's past lies in the cells of the lane that wrote it. Where that lane slept, a part ends.
    const int32_t first_cell = block.runs_of(segment).front().cell;
    const auto writer = std::ranges::find_if(view.lanes, [first_cell](const core::LaneView& lane) {
      return lane.segment.length > 0 && lane.segment.runs.front().cell == first_cell;
    });
    for (int32_t cell = visible.begin; cell < visible.end; ++cell) {
      const int32_t step = core::step_of(*writer, cell);
      const bool goes_on = cell > visible.begin && step == core::step_of(*writer, cell - 1) + 1;
      if (goes_on) {
        ++parts.back().part.n;
      } else {
        parts.push_back(
            {.part = {.lane = static_cast<int32_t>(writer - view.lanes.begin()), .first_step = step, .n = 1},
             .segment = static_cast<int32_t>(s),
             .begin = cell});
      }
    }
  }
  return parts;
}

// The class whose layers see furthest: the one without a window, or with the widest.
size_t widest_class(std::span<const arch::AttentionClass> classes) {
  size_t widest = 0;
  for (size_t c = 0; c < classes.size(); ++c) {
    if (classes[c].window == 0) return c;
    if (classes[c].window > classes[widest].window) widest = c;
  }
  return widest;
}

// Appends one layer's weights on the tokens of `parts`, head by head: zeros where a window hides them.
void append_weights(AttentionProbe& probe, std::span<const Seen> parts, const core::AttentionBlock& block,
                    const model::AttentionMass& layer) {
  std::vector<int64_t> offsets(block.segments.size(), -1);  // of each segment's cells in the layer's values
  int64_t n_cells = 0;
  for (const int32_t segment : layer.segments) {
    offsets[segment] = n_cells;
    n_cells += block.segments[segment].length;
  }
  for (int64_t head = 0; head < probe.n_head; ++head) {
    for (const Seen& seen : parts) {
      if (offsets[seen.segment] < 0) {
        probe.weights.insert(probe.weights.end(), seen.part.n, 0.0F);
      } else {
        const float* first = layer.values.data() + head * n_cells + offsets[seen.segment] + seen.begin;
        probe.weights.insert(probe.weights.end(), first, first + seen.part.n);
      }
    }
  }
}

}  // namespace

AttentionProbe Engine::probe(GroupId id, int32_t lane, int32_t step) {
  engine::Group& group = impl_->readable_group(id);
  const core::GroupRow row{.lane = lane, .step = step};
  if (!group.memory().was_fed(row)) {
    throw InvalidRequest("lane " + std::to_string(lane) + " of the group has fed no token at step " +
                         std::to_string(step));
  }
  // Its hidden states came from the lanes that were fed beside it.
  if (group.request().coupling.kind == CouplingKind::bridge)
    throw InvalidRequest(
        "a token of the coupling bridge cannot be probed alone; record attention while the group runs "
        "instead");
  if (!group.has_pages() || group.state() == engine::GroupState::prefill ||
      group.state() == engine::GroupState::refill) {
    throw InvalidRequest("the group waits for memory; probe it when it goes on");
  }
  // The row writes its own cell again, with the values that are there already.
  const core::GroupView view = group.memory().view({});
  const model::BatchRow batch_row{.row = row,
                                  .token = group.token_at(row),
                                  .position = group.n_prompt() + step,
                                  .cell = group.memory().cell_at(row),
                                  .output = true};
  model::BatchBuilder builder = impl_->runner.batch();
  builder.add(view, std::span(&batch_row, 1), group.request().lane_scales);
  builder.record(model::AttentionDetail::weights);
  const model::Batch batch = std::move(builder).finish();
  const model::StepOutput& output = impl_->runner.run(batch);

  const arch::ModelConfig& config = model::loaded(*impl_->model).config;
  AttentionProbe result{.n_layer = config.n_layer(), .n_head = config.attention().n_head};
  const core::AttentionBlock& block = batch.plans[widest_class(config.attention_classes)].blocks.front();
  const std::vector<Seen> parts = seen_parts(block, view);
  for (const Seen& seen : parts) result.parts.push_back(seen.part);
  for (const model::AttentionMass& layer : output.masses) append_weights(result, parts, block, layer);
  return result;
}

}  // namespace lanerope
