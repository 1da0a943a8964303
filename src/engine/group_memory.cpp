// SPDX-License-Identifier: Apache-2.0
#include "engine/group_memory.h"

#include <cassert>

namespace lanerope::engine {

bool GroupMemory::reserve(PrefixCache& cache) {
  std::deque<std::shared_ptr<const OwnedCells>> cells;
  for (int32_t m = 0; m < request_.n_lanes() + request_.reserved_lanes; ++m) {
    cells.push_back(cache.allocate(request_.budget));
    if (cells.back() == nullptr) return false;
  }
  prompt_ = cache.place(request_.prompt, request_.prompt_scales,
                        /*share=*/!request_.asked.prompt_logprobs.has_value());
  if (prompt_ == nullptr) return false;
  free_ = std::move(cells);
  return true;
}

bool GroupMemory::waits_for_prefix() {
  const auto& source = prompt_->source;
  if (source == nullptr) return false;
  if (source->ready() >= prompt_->shared) {
    prompt_->source = nullptr;
    return false;
  }
  // Nobody else will read what is missing: this group reads it itself, into the cells that they share.
  if (source->abandoned) {
    prompt_->read = source->ready();
    prompt_->source = nullptr;
    return false;
  }
  return true;
}

bool GroupMemory::add_lane(const LaneOrigin& origin, PrefixCache* cache) {
  std::shared_ptr<const OwnedCells> cells;
  if (!free_.empty()) {
    cells = std::move(free_.front());
    free_.pop_front();
  } else if (cache != nullptr) {
    cells = cache->allocate(request_.budget);
  }
  if (cells == nullptr) return false;
  const int32_t first = cells->first;
  lanes_.push_back({.cells = std::move(cells),
                    .view = {.segment = {.cell = first, .length = 0},
                             .start_step = origin.start_step,
                             .parent = origin.parent,
                             .fork_step = origin.fork_step}});
  return true;
}

void GroupMemory::drop_last_lane() {
  free_.push_front(std::move(lanes_.back().cells));
  lanes_.pop_back();
}

int32_t GroupMemory::woke(int32_t lane, int32_t step) {
  LaneCells& cells = lanes_[lane];
  const int32_t slept = step - next_step(lane);
  assert(slept >= 0);
  if (slept > 0) cells.sleeps.push_back({.token = n_fed(lane), .steps = slept});
  cells.view.sleeps = cells.sleeps;
  return slept;
}

bool GroupMemory::was_fed(const core::GroupRow& row) const {
  if (row.lane < 0 || row.lane >= static_cast<int32_t>(lanes_.size())) return false;
  const core::LaneView& lane = lanes_[row.lane].view;
  return core::cells_before(lane, row.step + 1) == core::cells_before(lane, row.step) + 1;
}

int32_t GroupMemory::cell_at(const core::GroupRow& row) const {
  return lanes_[row.lane].view.segment.cell + token_index(row);
}

int32_t GroupMemory::token_index(const core::GroupRow& row) const {
  // Of the cell that is filled next too, which holds no token yet.
  core::LaneView lane = lanes_[row.lane].view;
  ++lane.segment.length;
  return core::cells_before(lane, row.step);
}

core::GroupView GroupMemory::view(std::span<const core::GroupRow> rows) {
  view_prompt_ = prompt_->segments();
  view_lanes_.clear();
  for (const LaneCells& lane : lanes_) view_lanes_.push_back(lane.view);
  for (const core::GroupRow& row : rows) {
    if (row.lane != core::prompt_row) ++view_lanes_[row.lane].segment.length;
  }
  return {.coupling = &request_.coupling,
          .frequencies = request_.frequencies,
          .prompt = view_prompt_,
          .lanes = view_lanes_,
          .stride = request_.stride};
}

void GroupMemory::let_go(PrefixCache& cache) {
  lanes_.clear();
  free_.clear();
  if (prompt_ != nullptr) cache.let_go(std::move(prompt_));
}

}  // namespace lanerope::engine
