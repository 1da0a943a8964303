// SPDX-License-Identifier: Apache-2.0
#include "core/plan_tensors.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <tuple>

#include "core/rounded_sizes.h"
#include "tests/core/random_traces.h"

namespace lanerope::core {
namespace {

constexpr int32_t spare_cell = 100'000;

std::shared_ptr<const LaneFrequencies> frequencies(double omega) {
  return std::make_shared<LaneFrequencies>(
      LaneFrequencies{.classes = {{.theta = {1, 0.1}, .omega = {omega, omega / 2}}}});
}

// A cell that a row sees, and the lanes and tokens by which it is rotated on the way.
using Sight = std::tuple<int32_t, int32_t, int32_t>;
using Sights = std::vector<Sight>;

std::vector<Sights> sights_of(const AttentionPlan& plan) {
  std::vector<Sights> rows;
  for (const AttentionBlock& block : plan.blocks) {
    for (int32_t r = 0; r < block.n_rows; ++r) {
      Sights& sights = rows.emplace_back();
      for (size_t s = 0; s < block.segments.size(); ++s) {
        const RowSegment& at = block.row(r)[s];
        int32_t index = 0;
        for (const CellRun& run : block.runs_of(block.segments[s])) {
          for (int32_t i = 0; i < run.length; ++i, ++index) {
            if (index >= at.visible.begin && index < at.visible.end)
              sights.emplace_back(run.cell + i, at.offset.lanes, at.offset.tokens);
          }
        }
      }
      std::ranges::sort(sights);
    }
  }
  return rows;
}

// The lane offsets of whichever omega has one.
int32_t lanes_at(const LaneOffsets& offsets, size_t at) {
  int32_t lanes = 0;
  for (const auto& of_omega : offsets) lanes += of_omega[at];
  return lanes;
}

Sights sights_of(const PlanTensors& tensors, int32_t slot) {
  size_t size = 0;
  const auto slots_of = [&](size_t i) {
    return tensors.shape.sizes[i].n_rows * tensors.shape.sizes[i].n_tiles;
  };
  while (slot >= slots_of(size)) slot -= slots_of(size++);
  const TileShape& shape = tensors.shape.sizes[size];
  const TileTensors& tiles = tensors.sizes[size];
  const int32_t tile = slot / shape.n_rows;
  Sights sights;
  size_t in_tile = 0;  // cells of the regions before
  for (size_t v = 0; v < shape.regions.size(); ++v) {
    const RegionTensors& region = tiles.regions[v];
    for (int32_t c = 0; c < shape.regions[v].n_cells; ++c) {
      const size_t cell = static_cast<size_t>(tile) * shape.regions[v].n_cells + c;
      EXPECT_EQ(tiles.cells[static_cast<size_t>(tile) * shape.n_cells() + in_tile + c], region.cells[cell]);
      if (tiles.mask[static_cast<size_t>(slot) * shape.n_cells() + in_tile + c] != 0) continue;
      sights.emplace_back(region.cells[cell],
                          lanes_at(region.query_lanes, slot) - lanes_at(region.key_lanes, cell),
                          region.query_tokens[slot] - region.key_tokens[cell]);
    }
    in_tile += shape.regions[v].n_cells;
  }
  std::ranges::sort(sights);
  return sights;
}

PlanTensors tensors_of(const AttentionPlan& plan, std::span<const GroupRow> rows, int32_t n_prompt) {
  std::vector<int32_t> positions;
  for (const GroupRow& row : rows) positions.push_back(row.step + (row.lane == prompt_row ? 0 : n_prompt));
  return plan_tensors(
      plan, {.positions = positions, .n_rows = rounded_rows(plan.n_rows), .spare_cell = spare_cell});
}

void expect_same(const AttentionPlan& plan, const PlanTensors& tensors) {
  const std::vector<Sights> rows = sights_of(plan);
  for (size_t r = 0; r < rows.size(); ++r)
    ASSERT_EQ(sights_of(tensors, tensors.slots[r]), rows[r]) << "row " << r;
}

// What the lanes of a trace have written by `step`, and the rows of the `width` steps up to it.
struct Moment {
  std::vector<LaneView> lanes;
  std::vector<GroupRow> rows;
};
Moment moment_of(const reference::Trace& trace, const Layout& layout, int32_t step, int32_t width) {
  Moment moment{.lanes = layout.lanes, .rows = {}};
  for (size_t m = 0; m < trace.lanes.size(); ++m) {
    moment.lanes[m].segment.length = 0;
    for (const int32_t at : reference::steps_of(trace.lanes[m])) {
      if (at > step) continue;
      ++moment.lanes[m].segment.length;
      if (at > step - width) moment.rows.push_back({.lane = static_cast<int32_t>(m), .step = at});
    }
  }
  return moment;
}

void append(AttentionPlan& plan, const reference::Trace& trace, const Layout& layout, const Moment& moment,
            double omega) {
  append_group(plan,
               {.coupling = &trace.coupling,
                .frequencies = frequencies(omega),
                .prompt = layout.prompt,
                .lanes = moment.lanes,
                .stride = trace.stride},
               moment.rows);
}

TEST(PlanTensors, SayWhatThePlanSays) {
  Random random(19);
  for (int i = 0; i < 600; ++i) {
    const reference::Trace trace = random_trace(random);
    const Layout layout = lay_out(random, trace);
    const Moment moment = moment_of(trace, layout, between(random, 0, 12), std::vector{1, 2, 50}[i % 3]);
    if (moment.rows.empty()) continue;
    AttentionPlan plan;
    append(plan, trace, layout, moment, 0.3);
    expect_same(plan, tensors_of(plan, moment.rows, static_cast<int32_t>(trace.prompt.size())));
    ASSERT_FALSE(testing::Test::HasFailure()) << "trace " << i << ": " << describe(trace);
  }
}

TEST(PlanTensors, OfAStepAreOneTileOfFewRegions) {
  Random random(20);
  std::map<CouplingKind, size_t> most;
  for (int i = 0; i < 600; ++i) {
    reference::Trace trace = random_trace(random);
    if (trace.lanes.back().reads_all) trace.lanes.pop_back();
    trace.coupling.far_lanes = FarLanes::extrapolated;
    const Layout layout = lay_out(random, trace);
    const Moment moment = moment_of(trace, layout, between(random, 0, 12), 1);
    if (moment.rows.empty()) continue;
    AttentionPlan plan;
    append(plan, trace, layout, moment, 0.3);
    const PlanTensors tensors = tensors_of(plan, moment.rows, static_cast<int32_t>(trace.prompt.size()));
    ASSERT_EQ(tensors.shape.sizes.size(), 1U);
    EXPECT_EQ(tensors.shape.sizes.front().n_tiles, 1);
    EXPECT_TRUE(tensors.shape.in_order);
    size_t& regions = most[trace.coupling.kind];
    regions = std::max(regions, tensors.shape.sizes.front().regions.size());
  }
  EXPECT_LE(most[CouplingKind::independent], 3U) << "forks in the past rotate their parents' cells";
  EXPECT_LE(most[CouplingKind::lanerope], 3U);
  EXPECT_LE(most[CouplingKind::groupthink], 3U);
  EXPECT_LE(most[CouplingKind::hogwild], 5U);
}

reference::Trace lanes_of(CouplingKind kind, int32_t n, int32_t length) {
  reference::Trace trace{
      .prompt = std::vector<int32_t>(40), .lanes = {}, .coupling = {.kind = kind}, .stride = 16};
  for (int32_t m = 0; m < n; ++m) trace.lanes.push_back({.tokens = std::vector<int32_t>(length)});
  return trace;
}

TEST(PlanTensors, HaveAsManyRegionsWhateverTheNumberOfLanes) {
  Random random(21);
  for (const auto& [kind, n_regions] : {std::pair{CouplingKind::independent, 1U},
                                        {CouplingKind::lanerope, 2U},
                                        {CouplingKind::groupthink, 2U}}) {
    for (const int32_t n : {2, 3, 5, 8, 32}) {
      const reference::Trace trace = lanes_of(kind, n, 6);
      const Layout layout = lay_out(random, trace);
      const Moment moment = moment_of(trace, layout, 5, 1);
      AttentionPlan plan;
      append(plan, trace, layout, moment, 0.3);
      const PlanTensors tensors = tensors_of(plan, moment.rows, 40);
      ASSERT_EQ(tensors.shape.sizes.size(), 1U);
      const TileShape& shape = tensors.shape.sizes.front();
      EXPECT_EQ(shape.regions.size(), n_regions) << name(kind) << ", " << n << " lanes";
      EXPECT_EQ(shape.n_cells(), n_regions == 1 ? rounded_cells(40 + 6 * n) : 64 + rounded_cells(6 * n))
          << "a cell is read once";
    }
  }
}

TEST(PlanTensors, RotateNothingWhereOmegaIsZero) {
  Random random(22);
  const reference::Trace trace = lanes_of(CouplingKind::lanerope, 4, 3);
  const Layout layout = lay_out(random, trace);
  const Moment moment = moment_of(trace, layout, 2, 1);
  AttentionPlan plan;
  append(plan, trace, layout, moment, 0.0);
  const PlanTensors tensors = tensors_of(plan, moment.rows, 40);
  ASSERT_EQ(tensors.shape.sizes.front().regions.size(), 1U);
  EXPECT_EQ(tensors.shape.sizes.front().regions.front(), (RegionShape{.n_cells = 64}));
}

// Groups beside one another, of couplings whose omegas differ, and a prompt that is being read.
TEST(PlanTensors, KeepTheGroupsOfABatchApart) {
  Random random(23);
  for (int i = 0; i < 200; ++i) {
    AttentionPlan plan;
    std::vector<GroupRow> rows;
    std::list<Layout> layouts;
    std::list<reference::Trace> traces;
    for (int group = 0; group < 4; ++group) {
      const reference::Trace& trace = traces.emplace_back(random_trace(random));
      const Layout& layout = layouts.emplace_back(lay_out(random, trace));
      Moment moment = moment_of(trace, layout, between(random, 0, 6), 1);
      if (group == 3) {
        moment.rows.clear();
        for (int32_t step = 0; step < 40; ++step) moment.rows.push_back({.lane = prompt_row, .step = 0});
      }
      append(plan, trace, layout, moment, group % 2 == 0 ? 0.3 : 0.5);
      rows.insert(rows.end(), moment.rows.begin(), moment.rows.end());
    }
    const PlanTensors tensors = tensors_of(plan, rows, 10);
    expect_same(plan, tensors);
    EXPECT_EQ(tensors.shape.sizes.size(), plan.n_rows > 40 ? 2U : 1U) << "lanes, and a prompt's 40 rows";
    EXPECT_LE(tensors.shape.sizes.front().n_omegas, 2);
  }
}

TEST(RoundedSizes, AreFewAndNotMuchLarger) {
  int32_t sizes = 0;
  for (int32_t n = 1; n <= 4096; ++n) {
    EXPECT_GE(rounded_cells(n), n);
    EXPECT_LE(rounded_cells(n), std::max(n + 31, n + n / 4));
    EXPECT_GE(rounded_rows(n), n);
    EXPECT_LE(rounded_rows(n) - n, most_added_rows);
    EXPECT_LE(rounded_rows(n), n + std::max(n / 2, most_added_rows * (n > 64 ? 1 : 0)));
    sizes += rounded_cells(n) != rounded_cells(n - 1) ? 1 : 0;
  }
  EXPECT_LE(sizes, 25);
}

}  // namespace
}  // namespace lanerope::core
