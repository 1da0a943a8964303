// SPDX-License-Identifier: Apache-2.0
#include "tests/core/random_traces.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/sleepers.h"

namespace lanerope::core {

int32_t between(Random& random, int32_t least, int32_t most) {
  return std::uniform_int_distribution<int32_t>(least, most)(random);
}

namespace {

// The lane begins afresh, or forks an earlier one at any step that that one has written.
reference::TraceLane random_lane(Random& random, const std::vector<reference::TraceLane>& before) {
  reference::TraceLane lane{.tokens = std::vector<int32_t>(between(random, 1, 7)), .start_step = 0};
  if (before.empty()) return lane;
  lane.start_step = between(random, 0, 2) == 0 ? between(random, 1, 6) : 0;
  if (between(random, 0, 2) != 0) return lane;
  const int32_t parent = between(random, 0, static_cast<int32_t>(before.size()) - 1);
  const int32_t end = reference::steps_of(before[parent]).back() + 1;
  lane.parent = parent;
  lane.fork_step = between(random, before[parent].start_step, end);
  lane.start_step = lane.fork_step + between(random, 0, 3);
  return lane;
}

// Times in which lanes sleep, here and there.
void send_to_sleep(Random& random, reference::TraceLane& lane) {
  if (between(random, 0, 1) == 0) return;
  int32_t slept = 0;
  lane.steps = reference::steps_of(lane);
  for (int32_t& step : lane.steps) {
    if (between(random, 0, 3) == 0) slept += between(random, 1, 5);
    step += slept;
  }
}

// One more lane, behind the longest.
void add_second_stage(Random& random, reference::Trace& trace) {
  reference::TraceLane lane{.tokens = std::vector<int32_t>(between(random, 1, 4)), .reads_all = true};
  for (const reference::TraceLane& other : trace.lanes)
    lane.start_step = std::max(lane.start_step, reference::steps_of(other).back() + 1);
  trace.lanes.push_back(std::move(lane));
}

}  // namespace

reference::Trace random_trace(Random& random) {
  reference::Trace trace;
  trace.prompt.resize(between(random, 1, 9));
  const int32_t n_lanes = between(random, 1, 8);
  const auto kind = static_cast<CouplingKind>(between(random, 0, 4));
  for (int32_t m = 0; m < n_lanes; ++m) {
    trace.lanes.push_back(random_lane(random, trace.lanes));
    if (kind != CouplingKind::hogwild) send_to_sleep(random, trace.lanes.back());
  }
  const bool looks_late = between(random, 0, 2) == 0;
  for (reference::TraceLane& lane : trace.lanes) {
    const auto n_tokens = static_cast<int32_t>(lane.tokens.size());
    if (looks_late) lane.sees_from = static_cast<size_t>(between(random, 0, n_tokens + 1));
  }
  if (between(random, 0, 3) == 0) add_second_stage(random, trace);
  trace.coupling = {.kind = kind,
                    .visibility = static_cast<Visibility>(between(random, 0, 2)),
                    .topology = static_cast<Topology>(between(random, 0, 3)),
                    .window = between(random, 0, 1) * between(random, 1, 4),
                    .prompt_lane = static_cast<PromptLane>(between(random, 0, 1)),
                    .block = between(random, 1, 4),
                    // Where lanes are interpolated it is omega that differs, not the plan.
                    .far_lanes = static_cast<FarLanes>(between(random, 0, 2)),
                    .trained_lanes = between(random, 2, 5)};
  trace.stride = between(random, 1, 50);
  return trace;
}

Layout lay_out(Random& random, const reference::Trace& trace) {
  Layout layout;
  int32_t cell = between(random, 0, 5);
  size_t token = 0;
  const auto take = [&](int32_t length) {
    std::vector<CellRun>& runs = layout.runs.emplace_back();
    for (int32_t rest = length; rest > 0; rest -= runs.back().length) {
      runs.push_back({.cell = cell, .length = runs.size() < 2 ? between(random, 1, rest) : rest});
      for (int32_t i = 0; i < runs.back().length; ++i) layout.token_of_cell[cell + i] = token++;
      cell += runs.back().length + between(random, 0, 3);
    }
    runs.back().length += between(random, 0, 2);  // cells that hold no token yet
    cell += 2;
    return SegmentView{.runs = runs, .length = length};
  };
  layout.prompt = take(static_cast<int32_t>(trace.prompt.size()));
  for (const reference::TraceLane& lane : trace.lanes) {
    layout.sleeps.push_back(sleeps_of(lane.steps, lane.start_step));
    layout.lanes.push_back({.segment = take(static_cast<int32_t>(lane.tokens.size())),
                            .start_step = lane.start_step,
                            .parent = lane.parent,
                            .fork_step = lane.fork_step,
                            .reads_all = lane.reads_all,
                            .sees_from = static_cast<int32_t>(lane.sees_from)});
  }
  for (size_t m = 0; m < layout.lanes.size(); ++m) layout.lanes[m].sleeps = layout.sleeps[m];
  return layout;
}

std::string describe(const reference::Trace& trace) {
  std::string text =
      std::string(name(trace.coupling.kind)) + ", " + std::string(name(trace.coupling.visibility)) + ", " +
      std::string(name(trace.coupling.topology)) + ", window " + std::to_string(trace.coupling.window) +
      ", block " + std::to_string(trace.coupling.block) + ", " + std::string(name(trace.coupling.far_lanes)) +
      " beyond " + std::to_string(trace.coupling.trained_lanes) + ", prompt " +
      std::to_string(trace.prompt.size()) + ", lanes (start+length<parent@fork)";
  for (const reference::TraceLane& lane : trace.lanes) {
    text += " " + std::to_string(lane.start_step) + "+" + std::to_string(lane.tokens.size()) + "<" +
            std::to_string(lane.parent) + "@" + std::to_string(lane.fork_step) +
            (lane.reads_all ? " reads all" : "") +
            (lane.sees_from > 0 ? " sees from " + std::to_string(lane.sees_from) : "");
    for (const int32_t step : lane.steps)
      text += (step == lane.steps.front() ? " at " : ",") + std::to_string(step);
  }
  return text;
}

int32_t end_step(const reference::TraceLane& lane) {
  return reference::steps_of(lane).back() + 1;
}

std::vector<GroupRow> prompt_rows(const reference::Trace& trace) {
  std::vector<GroupRow> rows;
  for (int32_t i = 0; i < static_cast<int32_t>(trace.prompt.size()); ++i)
    rows.push_back({.lane = prompt_row, .step = i});
  return rows;
}

}  // namespace lanerope::core
