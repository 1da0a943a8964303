// SPDX-License-Identifier: Apache-2.0
#include "engine/group_memory.h"

#include <algorithm>
#include <cassert>
#include <limits>

#include "core/sleepers.h"

namespace lanerope::engine {

int32_t GroupMemory::pages_at_start(int32_t n_fed, bool second_stage, bool whole_budget) const {
  return whole_budget ? pages_of(budget_of(second_stage)) : std::max(1, pages_of(n_fed));
}

bool GroupMemory::start(PrefixCache& cache, const Start& how) {
  assert(prompt_ == nullptr);
  const auto there = static_cast<int32_t>(lanes_.size());
  const bool last_is_there = there > 0 && lanes_.back().view.reads_all;
  const int32_t to_come =
      last_is_there ? 0 : std::max(0, request_.n_lanes() + request_.reserved_lanes - there);
  const bool then_to_come = request_.then && !last_is_there;
  const auto of = [&](const LaneCells& lane, bool whole_budget) {
    return pages_at_start(lane.n_fed, lane.view.reads_all, whole_budget);
  };
  const auto of_all = [&](bool whole_budget) {
    int32_t pages = to_come * pages_at_start(0, false, whole_budget);
    if (then_to_come) pages += pages_at_start(0, true, whole_budget);
    for (const LaneCells& lane : lanes_) pages += of(lane, whole_budget);
    return pages;
  };
  prompt_ = cache.place({.tokens = request_.prompt,
                         .adapter_scales = request_.prompt_scales,
                         .share = !request_.asked.prompt_logprobs.has_value(),
                         .spare = of_all(how.whole_budgets) + how.spare,
                         .beside = of_all(true)});
  if (prompt_ == nullptr) return false;
  const auto fill = [&](std::vector<PageRef>& pages, int32_t n) {
    while (std::ssize(pages) < n) pages.push_back(cache.page_behind(pages));
  };
  for (LaneCells& lane : lanes_) {
    std::vector<PageRef> pages;
    fill(pages, of(lane, how.whole_budgets));
    for (PageRef& page : pages) add_page(lane, std::move(page));
  }
  ahead_.resize(static_cast<size_t>(to_come));
  for (std::vector<PageRef>& pages : ahead_) fill(pages, pages_at_start(0, false, how.whole_budgets));
  if (then_to_come) fill(ahead_then_, pages_at_start(0, true, how.whole_budgets));
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

void GroupMemory::add_page(LaneCells& lane, PageRef page) {
  lane.runs.push_back({.cell = page->first_cell(), .length = page_cells});
  lane.pages.push_back(std::move(page));
  lane.view.segment.runs = lane.runs;
}

int32_t GroupMemory::first_to_see(const LaneOrigin& origin) const {
  if (request_.coupling.sees_from == SeesFrom::start) return 0;
  if (origin.parent < 0) return core::never_sees;
  // Its first token is the one that its parent was fed, or will be, at fork_step.
  const core::LaneView parent = lane(origin.parent);
  return parent.sees_from <= core::cells_before(parent, origin.fork_step) ? 0 : core::never_sees;
}

void GroupMemory::add_lane(const LaneOrigin& origin) {
  lanes_.push_back({.view = {.start_step = origin.start_step,
                             .parent = origin.parent,
                             .fork_step = origin.fork_step,
                             .reads_all = origin.second_stage,
                             .sees_from = first_to_see(origin)}});
  if (origin.second_stage) {
    for (PageRef& page : ahead_then_) add_page(lanes_.back(), std::move(page));
    ahead_then_.clear();
    return;
  }
  if (ahead_.empty()) return;
  for (PageRef& page : ahead_.front()) add_page(lanes_.back(), std::move(page));
  ahead_.pop_front();
}

void GroupMemory::drop_last_lane() {
  ahead_.push_front(std::move(lanes_.back().pages));
  lanes_.pop_back();
}

bool GroupMemory::make_room(int32_t lane, int32_t n_cells, PrefixCache& cache) {
  LaneCells& cells = lanes_[lane];
  while (std::ssize(cells.pages) * page_cells < n_cells) {
    PageRef page = cache.page_behind(cells.pages);
    if (page == nullptr) return false;
    add_page(cells, std::move(page));
  }
  return true;
}

int32_t GroupMemory::woke(int32_t lane, int32_t step) {
  LaneCells& cells = lanes_[lane];
  const int32_t slept = step - next_step(lane);
  assert(slept >= 0);
  if (slept > 0) cells.sleeps.push_back({.token = n_fed(lane), .steps = slept});
  cells.view.sleeps = cells.sleeps;
  return slept;
}

core::LaneView GroupMemory::lane(int32_t lane) const {
  core::LaneView view = lanes_[lane].view;
  view.segment.length = lanes_[lane].n_fed;
  return view;
}

bool GroupMemory::was_fed(const core::GroupRow& row) const {
  if (row.lane < 0 || row.lane >= static_cast<int32_t>(lanes_.size())) return false;
  const core::LaneView of = lane(row.lane);
  return core::cells_before(of, row.step + 1) == core::cells_before(of, row.step) + 1;
}

int32_t GroupMemory::cell_at(const core::GroupRow& row) const {
  const int32_t index = token_index(row);
  return lanes_[row.lane].pages[index / page_cells]->first_cell() + index % page_cells;
}

int32_t GroupMemory::token_index(const core::GroupRow& row) const {
  // Of cells that are filled next too, which hold no token yet.
  core::LaneView of = lane(row.lane);
  of.segment.length = std::numeric_limits<int32_t>::max();
  return core::cells_before(of, row.step);
}

core::GroupView GroupMemory::view(std::span<const core::GroupRow> rows) {
  view_prompt_ = prompt_->runs();
  view_lanes_.clear();
  for (const LaneCells& lane : lanes_) view_lanes_.push_back(lane.view);
  for (const core::GroupRow& row : rows) {
    if (row.lane != core::prompt_row) ++view_lanes_[row.lane].segment.length;
  }
  return {.coupling = &request_.coupling,
          .frequencies = request_.frequencies,
          .prompt = {.runs = view_prompt_, .length = static_cast<int32_t>(prompt_->tokens.size())},
          .lanes = view_lanes_,
          .stride = request_.stride};
}

void GroupMemory::put_back(PrefixCache& cache) {
  for (LaneCells& lane : lanes_) {
    lane.pages.clear();
    lane.runs.clear();
    lane.view.segment = {};
  }
  ahead_.clear();
  ahead_then_.clear();
  cache.let_go(std::move(prompt_));
  prompt_ = nullptr;
}

bool GroupMemory::is_filled() const {
  return std::ranges::all_of(lanes_,
                             [](const LaneCells& lane) { return lane.view.segment.length == lane.n_fed; });
}

// In the order of the clock, as they were fed, and whole steps of it: what a row sees is in its cells by
// then, or comes in the same batch.
std::vector<core::GroupRow> GroupMemory::rows_to_refill(int32_t most) const {
  std::vector<core::GroupRow> rows;
  for (int32_t m = 0; m < static_cast<int32_t>(lanes_.size()); ++m) {
    const LaneCells& lane = lanes_[m];
    for (int32_t cell = lane.view.segment.length; cell < lane.n_fed; ++cell)
      rows.push_back({.lane = m, .step = core::step_of(lane.view, cell)});
  }
  std::ranges::stable_sort(rows, {}, &core::GroupRow::step);
  if (std::ssize(rows) > most) {
    const int32_t first_step = rows.front().step;
    const int32_t end_step = std::max(rows[static_cast<size_t>(most)].step, first_step + 1);
    rows.resize(static_cast<size_t>(std::ranges::lower_bound(rows, end_step, {}, &core::GroupRow::step) -
                                    rows.begin()));
  }
  // Lane by lane, so that lanes which see no other make one block each.
  std::ranges::stable_sort(rows, {}, &core::GroupRow::lane);
  return rows;
}

void GroupMemory::let_go(PrefixCache& cache) {
  lanes_.clear();
  ahead_.clear();
  ahead_then_.clear();
  if (prompt_ != nullptr) cache.let_go(std::move(prompt_));
}

}  // namespace lanerope::engine
