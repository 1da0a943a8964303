// SPDX-License-Identifier: Apache-2.0
#include "core/attention_plan.h"

#include <algorithm>
#include <cassert>
#include <iterator>

#include "core/lane_distance.h"
#include "core/visibility.h"

namespace lanerope::core {

namespace {

// Tokens of its ancestors that lane m has as its own past, nearest ancestor first.
struct Past {
  int32_t lane;    // the ancestor
  int32_t length;  // its cells [0, length) are lane m's past
};

std::vector<Past> past_of(const GroupView& group, int32_t m) {
  std::vector<Past> past;
  for (int32_t n = m; group.lanes[n].parent >= 0; n = group.lanes[n].parent) {
    const LaneView& parent = group.lanes[group.lanes[n].parent];
    past.push_back({.lane = group.lanes[n].parent, .length = cells_before(parent, group.lanes[n].fork_step)});
  }
  return past;
}

// By how much lane m's token index runs ahead of the length of its own text. A lane that was spawned afresh
// starts at the clock. Where it sees others by the clock that is no lag (design: i - j >= 0 across lanes);
// where it reads one contiguous text it is: hogwild's, and that of a lane which sees no other.
int32_t lag_of(const GroupView& group, int32_t m) {
  const LaneView& lane = group.lanes[m];
  if (lane.parent >= 0) return lane.start_step - lane.fork_step + lag_of(group, lane.parent);
  const CouplingKind kind = group.coupling->kind;
  const bool alone = !sees_other_lanes(kind) && !lane.reads_all;
  return alone || kind == CouplingKind::hogwild ? lane.start_step : 0;
}

class GroupPlanner {
 public:
  GroupPlanner(const GroupView& group, PlanClass plan_class)
      : group_(group),
        window_(plan_class.window),
        sees_others_(sees_other_lanes(group.coupling->kind)),
        // Shares the ownership of all classes.
        frequencies_(group.frequencies, &group.frequencies->classes[plan_class.index]),
        n_lanes_(static_cast<int32_t>(group.lanes.size())),
        n_coupled_(n_lanes_ - (n_lanes_ > 0 && group.lanes.back().reads_all ? 1 : 0)) {
    for (int32_t m = 0; m < n_lanes_; ++m) {
      past_.push_back(past_of(group, m));
      lag_.push_back(lag_of(group, m));
    }
    if (group.coupling->topology == Topology::ring) remember_joined();
  }

  // The block of rows that are tokens of the prompt.
  AttentionBlock prompt_block(std::span<const GroupRow> rows) const {
    AttentionBlock block = empty_block(rows.size());
    for (const GroupRow& row : rows)
      block.row_segments.push_back({.visible = in_window_of_prompt(row.step + 1, row.step), .offset = {}});
    return block;
  }

  // The block of rows of lanes that see one another: segments are the prompt, then each lane, then each
  // lane's past.
  AttentionBlock joint_block(std::span<const GroupRow> rows) const {
    AttentionBlock block = empty_block(rows.size());
    for (int32_t m = 0; m < n_lanes_; ++m) block.add_segment(m, group_.lanes[m].segment);
    for (int32_t m = 0; m < n_lanes_; ++m) add_past_segments(block, m);
    for (const GroupRow& row : rows) add_joint_row(block, row);
    return block;
  }

  // The block of rows of one lane that sees no other: segments are the prompt, the lane, its past.
  AttentionBlock lone_block(std::span<const GroupRow> rows) const {
    const int32_t m = rows.front().lane;
    AttentionBlock block = empty_block(rows.size());
    block.add_segment(m, group_.lanes[m].segment);
    add_past_segments(block, m);
    for (const GroupRow& row : rows) {
      add_prompt(block, row, prompt_offset(m, 0));
      block.row_segments.push_back({.visible = own_range(row), .offset = {}});
      add_past_ranges(block, row, m);
    }
    return block;
  }

 private:
  AttentionBlock empty_block(size_t n_rows) const {
    AttentionBlock block{.n_rows = static_cast<int32_t>(n_rows), .frequencies = frequencies_};
    block.add_segment(prompt_row, group_.prompt);
    return block;
  }

  void add_past_segments(AttentionBlock& block, int32_t m) const {
    for (const Past& past : past_[m]) {
      block.add_segment(m, {.runs = group_.lanes[past.lane].segment.runs, .length = past.length});
    }
  }

  void add_past_ranges(AttentionBlock& block, const GroupRow& row, int32_t m) const {
    for (const Past& past : past_[m]) {
      RowSegment entry;
      if (m == row.lane) {
        const int32_t step = window_step(row) + (sees_others_ ? 0 : lag_[past.lane]);
        entry.visible = in_window({0, past.length}, step, group_.lanes[past.lane]);
        entry.offset.tokens = lag_[past.lane] - lag_[m];
      }
      block.row_segments.push_back(entry);
    }
  }

  void add_prompt(AttentionBlock& block, const GroupRow& row, Offset offset) const {
    const int32_t length = group_.prompt.length;
    const CellRange visible = in_window_of_prompt(length, length + window_step(row));
    block.row_segments.push_back({.visible = visible, .offset = visible.empty() ? Offset{} : offset});
  }

  // Where the window of the row ends before what it has not written itself: at the clock, but in a text of
  // its own where it sees no other lane.
  int32_t window_step(const GroupRow& row) const { return row.step - (sees_others_ ? 0 : lag_[row.lane]); }

  // The first index that a query at `index` sees through the window; both steps, or both tokens of the
  // prompt.
  int32_t window_begin(int32_t index) const { return index - window_ + 1; }

  // Of the prompt's cells [0, end) those that the query of the token at `index` sees through the window.
  CellRange in_window_of_prompt(int32_t end, int32_t index) const {
    CellRange range{0, end};
    if (window_ > 0) range.begin = std::max(range.begin, window_begin(index));
    return range.empty() ? CellRange{} : range;
  }

  // The same of cells of a lane.
  CellRange in_window(CellRange range, int32_t step, const LaneView& lane) const {
    if (window_ > 0) range.begin = std::max(range.begin, cells_before(lane, window_begin(step)));
    return range.empty() ? CellRange{} : range;
  }

  CellRange own_range(const GroupRow& row) const {
    const LaneView& lane = group_.lanes[row.lane];
    return in_window({0, cells_before(lane, row.step + 1)}, row.step, lane);
  }

  void remember_joined() {
    for (int32_t m = 0; m < n_coupled_; ++m)
      joined_.push_back({.step = group_.lanes[m].start_step, .n_lanes = m + 1});
    std::ranges::stable_sort(joined_, {}, &Joined::step);
    for (size_t i = 1; i < joined_.size(); ++i)
      joined_[i].n_lanes = std::max(joined_[i].n_lanes, joined_[i - 1].n_lanes);
  }

  // How many lanes the coupling spoke of when that step was computed: up to the last one that was there. Only
  // a ring's neighbours depend on it.
  int32_t coupled_at(int32_t step) const {
    if (group_.coupling->topology != Topology::ring) return n_coupled_;
    const auto later = std::ranges::upper_bound(joined_, step, {}, &Joined::step);
    return later == joined_.begin() ? 0 : std::prev(later)->n_lanes;
  }

  // What `row` sees of another lane n.
  CellRange other_range(const GroupRow& row, int32_t n) const {
    const Coupling& coupling = *group_.coupling;
    const LaneView& lane = group_.lanes[row.lane];
    if (row.lane == n) return {};
    if (lane.reads_all) return {0, cells_before(group_.lanes[n], row.step + 1)};
    if (n >= n_coupled_ || !sees_lane(coupling, row.lane, n, coupled_at(row.step))) return {};
    if (cells_before(lane, row.step) < lane.sees_from) return {};
    const int32_t last_step = last_seen_step(coupling.visibility, row.step, /*earlier_lane=*/n < row.lane);
    CellRange range{0, cells_before(group_.lanes[n], last_step + 1)};
    if (coupling.window > 0) range.begin = std::max(range.begin, range.end - coupling.window);
    for (const Past& past : past_[row.lane]) {
      if (past.lane == n) range.begin = std::max(range.begin, past.length);
    }
    return range.empty() ? CellRange{} : range;
  }

  Offset prompt_offset(int32_t m, int32_t others_in_view) const {
    Offset offset{.lanes = 0, .tokens = -lag_[m]};
    if (group_.coupling->kind == CouplingKind::hogwild) offset.tokens += others_in_view;
    if (group_.coupling->prompt_lane == PromptLane::first) {
      if (group_.coupling->kind == CouplingKind::lanerope) offset.lanes += lane_distance(*group_.coupling, m);
      if (group_.coupling->kind == CouplingKind::groupthink) offset.tokens += group_.stride * m;
    }
    return offset;
  }

  void add_joint_row(AttentionBlock& block, const GroupRow& row) const {
    const int32_t m = row.lane;
    std::vector<CellRange> others(n_lanes_);
    int32_t in_view = 0;
    for (int32_t n = 0; n < n_lanes_; ++n) {
      if (n != m) in_view += (others[n] = other_range(row, n)).size();
    }
    add_prompt(block, row, prompt_offset(m, in_view));

    int32_t from_here = in_view;  // cells of lane n and of the other lanes after it, in lane m's layout
    for (int32_t n = 0; n < n_lanes_; ++n) {
      if (n == m) {
        block.row_segments.push_back({.visible = own_range(row), .offset = {}});
        continue;
      }
      // The layout of hogwild is what all layers have in common: a window hides cells and moves none.
      RowSegment entry{.visible = in_window(others[n], row.step, group_.lanes[n]), .offset = {}};
      switch (group_.coupling->kind) {
        case CouplingKind::independent:
        case CouplingKind::bridge:
          break;
        case CouplingKind::lanerope:
          entry.offset.lanes = lane_distance(*group_.coupling, m - n);
          break;
        case CouplingKind::groupthink:
          entry.offset.tokens = group_.stride * (m - n);
          break;
        case CouplingKind::hogwild:
          entry.offset.tokens = from_here - lag_[m] + others[n].begin + group_.lanes[n].start_step;
          break;
      }
      if (entry.visible.empty()) entry.offset = {};
      from_here -= others[n].size();
      block.row_segments.push_back(entry);
    }
    for (int32_t n = 0; n < n_lanes_; ++n) add_past_ranges(block, row, n);
  }

  const GroupView& group_;
  int32_t window_;
  bool sees_others_;
  std::shared_ptr<const ClassFrequencies> frequencies_;
  int32_t n_lanes_;
  int32_t n_coupled_;                    // those that the coupling speaks of: all but the lane that reads all
  std::vector<std::vector<Past>> past_;  // [lane]
  std::vector<int32_t> lag_;             // [lane]
  struct Joined {
    int32_t step = 0;
    int32_t n_lanes = 0;  // by then
  };
  std::vector<Joined> joined_;  // [n_coupled] of a ring, by step
};

void append_block(AttentionPlan& plan, AttentionBlock block) {
  block.first_row = plan.n_rows;
  plan.n_rows += block.n_rows;
  plan.blocks.push_back(std::move(block));
}

}  // namespace

void AttentionBlock::add_segment(int32_t owner, const SegmentView& view) {
  const auto first_run = static_cast<int32_t>(runs.size());
  int32_t rest = view.length;
  for (const CellRun& run : view.runs) {
    if (rest == 0) break;
    const int32_t length = std::min(run.length, rest);
    const bool goes_on = std::ssize(runs) > first_run && runs.back().cell + runs.back().length == run.cell;
    if (goes_on) {
      runs.back().length += length;
    } else {
      runs.push_back({.cell = run.cell, .length = length});
    }
    rest -= length;
  }
  assert(rest == 0);
  segments.push_back({.owner = owner,
                      .length = view.length,
                      .first_run = first_run,
                      .n_runs = static_cast<int32_t>(runs.size()) - first_run});
}

void append_group(AttentionPlan& plan, const GroupView& group, std::span<const GroupRow> rows,
                  PlanClass plan_class) {
  assert(group.coupling != nullptr && group.frequencies != nullptr);
  const GroupPlanner planner(group, plan_class);
  const auto reads_all = [&](int32_t lane) {
    return lane != prompt_row && group.lanes[static_cast<size_t>(lane)].reads_all;
  };
  const size_t n_coupled =
      group.lanes.size() - (!group.lanes.empty() && group.lanes.back().reads_all ? 1 : 0);
  const bool lone = !sees_other_lanes(group.coupling->kind) || n_coupled == 1;

  // One block for a run of prompt rows, one for a run of lane rows (of the same lane, where lanes are alone),
  // and one for a run of rows of the lane that reads all.
  for (size_t begin = 0; begin < rows.size();) {
    size_t end = begin + 1;
    const auto together = [&](const GroupRow& a, const GroupRow& b) {
      if (a.lane == b.lane) return true;
      if (a.lane == prompt_row || b.lane == prompt_row || reads_all(a.lane) || reads_all(b.lane))
        return false;
      return !lone;
    };
    while (end < rows.size() && together(rows[begin], rows[end])) ++end;
    const auto run = rows.subspan(begin, end - begin);
    if (rows[begin].lane == prompt_row) {
      append_block(plan, planner.prompt_block(run));
    } else {
      const bool alone = lone && !reads_all(run.front().lane);
      append_block(plan, alone ? planner.lone_block(run) : planner.joint_block(run));
    }
    begin = end;
  }
}

}  // namespace lanerope::core
