// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "lanerope/coupling.h"

namespace lanerope::reference {

struct TraceLane {
  std::vector<int32_t> tokens;
  int32_t start_step = 0;  // of its first token, on the group's clock
  int32_t parent = -1;     // the lane it was forked from; its cells before fork_step are this lane's own past
  int32_t fork_step = 0;
  bool reads_all = false;           // a second stage: the last lane, which sees all that others wrote
  size_t sees_from = 0;             // its tokens before this one see no other lane
  std::vector<int32_t> steps = {};  // of each token, where the lane slept; empty: one after the other
};
// Of each token, on the clock.
std::vector<int32_t> steps_of(const TraceLane& lane);

// All tokens of a group that has been running for a while.
struct Trace {
  std::vector<int32_t> prompt;
  std::vector<TraceLane> lanes;
  Coupling coupling;
  int32_t stride = 0;      // K in force: tokens between neighbouring lanes, for groupthink
  int32_t first_lane = 0;  // the index m that lanes[0] has; the others follow it
};

// A token of a trace, in the order prompt, lane 0, lane 1, ...
struct TraceToken {
  int32_t id = 0;
  int32_t lane = -1;  // -1 for the prompt
  int32_t step = 0;   // on the clock; for the prompt the index in it
};
std::vector<TraceToken> flatten(const Trace& trace);

// What one token makes of another: the score is <R(theta * token_offset + omega * lane_offset) q, k> where
// visible.
struct Relation {
  bool visible = false;
  double token_offset = 0;  // distance along the text, in tokens
  double lane_offset = 0;   // distance across the lanes
};

// From the definitions in docs/couplings.md: every query's text is written out, and distances are counted in
// it. [n_tokens, n_tokens], a row a query. It shares neither code nor formulas with src/core.
std::vector<std::vector<Relation>> relations(const Trace& trace);

}  // namespace lanerope::reference
