// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "lanerope/sleep.h"

namespace lanerope::core {

// Cells [cell, cell + length) of the KV pool.
struct CellRun {
  int32_t cell = 0;
  int32_t length = 0;

  bool operator==(const CellRun&) const = default;
};

// The cells of one owner, a prompt or the tokens of one lane: token i of it lies in the cell number i of its
// runs.
struct SegmentView {
  std::span<const CellRun> runs = {};  // not owned; together at least `length` cells
  int32_t length = 0;                  // cells that hold a token, those written in this batch included
};

// A lane as the plan sees it. Steps are counted on the group's clock: step s has token index prompt length +
// s. Cells follow one another, steps may not: a lane that slept has none for that time.
//
//   cell    0  1  2           3  4        sleeps: {{.token = 3, .steps = 4}}
//   step    0  1  2  .  .  .  .  7  8     start_step: 0
//
struct LaneView {
  SegmentView segment = {};            // the tokens this lane wrote itself
  int32_t start_step = 0;              // the clock when it joined
  int32_t parent = -1;                 // the lane it was forked from, or -1
  int32_t fork_step = 0;               // of the parent's cells those with step < fork_step are its own past
  std::span<const Sleep> sleeps = {};  // ascending; not owned
  // The lane of a second stage: it joins last, when all others have ended, and sees all that they wrote,
  // whatever the coupling hides. None of them sees it.
  bool reads_all = false;
  // Rows of its cells before this one see no other lane (SeesFrom::hand_over).
  int32_t sees_from = 0;
};

// The step of cell number `cell` of the lane, which may be the next one that it fills.
constexpr int32_t step_of(const LaneView& lane, int32_t cell) {
  int32_t step = lane.start_step + cell;
  for (const Sleep& sleep : lane.sleeps) {
    if (sleep.token > cell) break;
    step += sleep.steps;
  }
  return step;
}

// How many of the lane's cells that hold a token have a step below `step`.
constexpr int32_t cells_before(const LaneView& lane, int32_t step) {
  int32_t cells = step - lane.start_step;
  for (const Sleep& sleep : lane.sleeps) {
    if (cells <= sleep.token) break;
    cells = std::max(sleep.token, cells - sleep.steps);
  }
  return std::clamp(cells, 0, lane.segment.length);
}

}  // namespace lanerope::core
