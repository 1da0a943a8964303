// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "core/attention_plan.h"
#include "tests/reference/joint_trace.h"

namespace lanerope::core {

using Random = std::mt19937;

int32_t between(Random& random, int32_t least, int32_t most);

// Up to eight lanes of any coupling: of unequal lengths, late, forked, asleep.
reference::Trace random_trace(Random& random);
std::string describe(const reference::Trace& trace);

// The trace laid out in a pool, its prompt and each of its lanes in one to three runs of cells.
struct Layout {
  SegmentView prompt;
  std::vector<std::vector<Sleep>> sleeps;
  std::vector<LaneView> lanes;
  std::list<std::vector<CellRun>> runs;     // what the segments point to
  std::map<int32_t, size_t> token_of_cell;  // index into flatten(trace)
};

Layout lay_out(Random& random, const reference::Trace& trace);

int32_t end_step(const reference::TraceLane& lane);
std::vector<GroupRow> prompt_rows(const reference::Trace& trace);

}  // namespace lanerope::core
