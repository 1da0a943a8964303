// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/lane_rotation.h"
#include "core/lane_view.h"
#include "lanerope/coupling.h"

namespace lanerope::core {

// Stands for the prompt where a lane could stand.
inline constexpr int32_t prompt_row = -1;

// Cells [begin, end) of a segment, counted from its first cell. Empty when begin >= end.
struct CellRange {
  int32_t begin = 0;
  int32_t end = 0;

  bool empty() const { return begin >= end; }
  int32_t size() const { return empty() ? 0 : end - begin; }
  bool operator==(const CellRange&) const = default;
};

// What one query row does with one segment: how it is rotated before it meets the keys, and which of them it
// sees.
struct RowSegment {
  CellRange visible = {};
  Offset offset = {};

  bool operator==(const RowSegment&) const = default;
};

// Rows of the batch that attend to the same segments. The work of one attention, and the whole of a coupling:
//
//                 prompt     lane 0     lane 1     lane 2      segments
//   lane 0  s=2   ########   ###        ###        ###         '#': visible. Each row has one offset,
//   lane 1  s=2   ########   ###        ###        ###         phi(m, n), for each segment.
//   lane 2  s=2   ########   ###        ###        ###
//
// A row that sees nothing of a segment has an empty range there. Segments may overlap in the pool: a forked
// lane looks at its parent once as its own past and once as another lane.
struct AttentionBlock {
  // One column of the picture.
  struct Segment {
    int32_t owner = prompt_row;  // the lane it belongs to (its own past too), or prompt_row
    int32_t length = 0;          // cells that hold a token
    int32_t first_run = 0;       // its cells are those of `runs` [first_run, first_run + n_runs), in order
    int32_t n_runs = 0;

    bool operator==(const Segment&) const = default;
  };

  int32_t first_row = 0;  // rows [first_row, first_row + n_rows) of the batch
  int32_t n_rows = 0;
  std::vector<Segment> segments = {};
  std::vector<CellRun> runs = {};             // of all segments; those of one have `length` cells together
  std::vector<RowSegment> row_segments = {};  // [n_segments, n_rows]
  std::shared_ptr<const ClassFrequencies> frequencies = {};

  std::span<const RowSegment> row(int32_t r) const {
    return std::span(row_segments).subspan(static_cast<size_t>(r) * segments.size(), segments.size());
  }
  std::span<const CellRun> runs_of(const Segment& segment) const {
    return std::span(runs).subspan(segment.first_run, segment.n_runs);
  }
  // Appends a segment: the first `view.length` cells of its runs, neighbours joined.
  void add_segment(int32_t owner, const SegmentView& view);
};

// The attention of one step: disjoint blocks that together hold every row of the batch, in the order of the
// rows.
struct AttentionPlan {
  std::vector<AttentionBlock> blocks = {};
  int32_t n_rows = 0;
};

// One group at one step, as far as attention is concerned. Spans are not owned.
struct GroupView {
  const Coupling* coupling = nullptr;
  std::shared_ptr<const LaneFrequencies> frequencies = {};
  SegmentView prompt = {};
  std::span<const LaneView> lanes = {};
  int32_t stride = 0;  // K in force: Coupling::stride, or the lane budget
};

// A row of the batch that belongs to a group.
struct GroupRow {
  int32_t lane = 0;  // prompt_row for a token of the prompt itself
  int32_t step = 0;  // step on the clock; for a token of the prompt its index in it
};

// Which of the model's attention classes a plan is for. A query at token index i sees the key at index j of
// any lane where i - j < window; the clock gives the tokens of all lanes one index, so no coupling changes
// this. Lanes that see no other count along their own text, in which a lane that came late has no gap.
struct PlanClass {
  int32_t index = 0;
  int32_t window = 0;  // 0: all
};

// Appends to `plan` the blocks of `rows`, which become the next rows of the batch. Lanes that do not see one
// another get a block each. Pure: the plan depends on the arguments alone, never on what else is in the
// batch. The plans of all classes have the same blocks and segments; what rows see of them differs.
void append_group(AttentionPlan& plan, const GroupView& group, std::span<const GroupRow> rows,
                  PlanClass plan_class = {});

}  // namespace lanerope::core
