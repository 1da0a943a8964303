// SPDX-License-Identifier: Apache-2.0
#include "core/attention_plan.h"

#include <gtest/gtest.h>

#include <map>

#include "tests/core/random_traces.h"

namespace lanerope::core {
namespace {

class PlanCheck {
 public:
  PlanCheck(const reference::Trace& trace, const Layout& layout)
      : trace_(trace),
        layout_(layout),
        tokens_(reference::flatten(trace)),
        relations_(reference::relations(trace)) {}

  // Adds `rows` as one step, with the lanes as long as `lanes` says, and compares every row with every token.
  void step(std::span<const GroupRow> rows, std::span<const LaneView> lanes) const {
    AttentionPlan plan;
    append_group(plan,
                 {.coupling = &trace_.coupling,
                  .frequencies = std::make_shared<LaneFrequencies>(
                      LaneFrequencies{.classes = std::vector<ClassFrequencies>(1)}),
                  .prompt = layout_.prompt,
                  .lanes = lanes,
                  .stride = trace_.stride},
                 rows);
    ASSERT_EQ(plan.n_rows, static_cast<int32_t>(rows.size()));
    int32_t next_row = 0;
    for (const AttentionBlock& block : plan.blocks) {
      ASSERT_EQ(block.first_row, next_row) << "blocks hold the rows in order";
      ASSERT_EQ(block.row_segments.size(), block.segments.size() * block.n_rows);
      for (int32_t r = 0; r < block.n_rows; ++r) compare(block, r, rows[next_row++]);
    }
    ASSERT_EQ(next_row, plan.n_rows);
  }

 private:
  int32_t index(const reference::TraceToken& token) const {
    return token.lane < 0 ? token.step : static_cast<int32_t>(trace_.prompt.size()) + token.step;
  }

  static std::vector<int32_t> cells_of(const AttentionBlock& block, const AttentionBlock::Segment& segment) {
    std::vector<int32_t> cells;
    for (const CellRun& run : block.runs_of(segment)) {
      for (int32_t i = 0; i < run.length; ++i) cells.push_back(run.cell + i);
    }
    return cells;
  }

  size_t token_of(const GroupRow& row) const {
    for (size_t t = 0; t < tokens_.size(); ++t) {
      if (tokens_[t].lane == row.lane && tokens_[t].step == row.step) return t;
    }
    ADD_FAILURE() << "no such row";
    return 0;
  }

  void compare(const AttentionBlock& block, int32_t r, const GroupRow& row) const {
    const size_t query = token_of(row);
    std::map<size_t, Offset> seen;
    for (size_t s = 0; s < block.segments.size(); ++s) {
      const RowSegment& entry = block.row(r)[s];
      if (entry.visible.empty()) continue;
      ASSERT_GE(entry.visible.begin, 0);
      ASSERT_LE(entry.visible.end, block.segments[s].length);
      const std::vector<int32_t> cells = cells_of(block, block.segments[s]);
      ASSERT_EQ(std::ssize(cells), block.segments[s].length);
      for (int32_t c = entry.visible.begin; c < entry.visible.end; ++c) {
        const size_t key = layout_.token_of_cell.at(cells[c]);
        ASSERT_TRUE(seen.emplace(key, entry.offset).second) << "a cell is seen twice by lane " << row.lane;
      }
    }
    for (size_t key = 0; key < tokens_.size(); ++key) {
      const reference::Relation& expected = relations_[query][key];
      const auto found = seen.find(key);
      ASSERT_EQ(found != seen.end(), expected.visible)
          << "lane " << row.lane << " step " << row.step << " and lane " << tokens_[key].lane << " step "
          << tokens_[key].step;
      if (!expected.visible) continue;
      // The query stands at its own index, the key was rotated to its own; the plan rotates the query by the
      // rest.
      const int32_t distance = index(tokens_[query]) - index(tokens_[key]);
      ASSERT_EQ(distance + found->second.tokens, expected.token_offset)
          << "lane " << row.lane << " step " << row.step << " and lane " << tokens_[key].lane << " step "
          << tokens_[key].step;
      ASSERT_EQ(found->second.lanes, expected.lane_offset);
    }
  }

  const reference::Trace& trace_;
  const Layout& layout_;
  std::vector<reference::TraceToken> tokens_;
  std::vector<std::vector<reference::Relation>> relations_;
};

// Windows of `width` steps, with the lanes as long as they are by then.
void check_in_windows(const PlanCheck& check, const reference::Trace& trace, const Layout& layout,
                      int32_t width) {
  int32_t last = 0;
  for (const reference::TraceLane& lane : trace.lanes) last = std::max(last, end_step(lane));
  std::vector<LaneView> lanes = layout.lanes;
  for (LaneView& lane : lanes) lane.segment.length = 0;
  check.step(prompt_rows(trace), lanes);
  for (int32_t from = 0; from < last; from += width) {
    std::vector<GroupRow> rows;
    for (size_t m = 0; m < trace.lanes.size(); ++m) {
      for (const int32_t step : reference::steps_of(trace.lanes[m])) {
        if (step < from || step >= from + width) continue;
        rows.push_back({.lane = static_cast<int32_t>(m), .step = step});
        ++lanes[m].segment.length;
      }
    }
    if (!rows.empty()) check.step(rows, lanes);
  }
}

TEST(AttentionPlan, IsTheDefinitionOfTheCouplings) {
  Random random(20260527);
  for (int i = 0; i < 1500; ++i) {
    const reference::Trace trace = random_trace(random);
    const Layout layout = lay_out(random, trace);
    const PlanCheck check(trace, layout);
    const int32_t width = std::vector<int32_t>{1, 2, 3, 100}[i % 4];
    check_in_windows(check, trace, layout, width);
    ASSERT_FALSE(testing::Test::HasFailure()) << "trace " << i << ": " << describe(trace);
  }
}

TEST(AttentionPlan, GivesLanesThatSeeNoOtherABlockEach) {
  Random random(3);
  const reference::Trace trace{
      .prompt = {1, 2}, .lanes = {{.tokens = {1}}, {.tokens = {1}}, {.tokens = {1}}}, .coupling = {}};
  const Layout layout = lay_out(random, trace);
  const std::vector<GroupRow> rows = {{.lane = 0}, {.lane = 1}, {.lane = 2}};
  const auto blocks = [&](const Coupling& coupling) {
    AttentionPlan plan;
    append_group(plan,
                 {.coupling = &coupling,
                  .frequencies = std::make_shared<LaneFrequencies>(
                      LaneFrequencies{.classes = std::vector<ClassFrequencies>(1)}),
                  .prompt = layout.prompt,
                  .lanes = layout.lanes},
                 rows);
    return plan.blocks.size();
  };
  EXPECT_EQ(blocks({.kind = CouplingKind::independent}), 3U);
  EXPECT_EQ(blocks({.kind = CouplingKind::lanerope}), 1U);
}

TEST(AttentionPlan, OfOneGroupDoesNotDependOnTheOthers) {
  Random random(11);
  for (int i = 0; i < 100; ++i) {
    const reference::Trace before = random_trace(random);
    const reference::Trace trace = random_trace(random);
    AttentionPlan alone;
    AttentionPlan beside;
    const auto append = [&](AttentionPlan& plan, const reference::Trace& of, const Layout& layout) {
      std::vector<GroupRow> rows;
      for (size_t m = 0; m < of.lanes.size(); ++m) {
        rows.push_back({.lane = static_cast<int32_t>(m), .step = reference::steps_of(of.lanes[m]).front()});
      }
      append_group(plan,
                   {.coupling = &of.coupling,
                    .frequencies = std::make_shared<LaneFrequencies>(
                        LaneFrequencies{.classes = std::vector<ClassFrequencies>(1)}),
                    .prompt = layout.prompt,
                    .lanes = layout.lanes,
                    .stride = of.stride},
                   rows);
    };
    const Layout layout = lay_out(random, trace);
    append(alone, trace, layout);
    append(beside, before, lay_out(random, before));
    const size_t first = beside.blocks.size();
    append(beside, trace, layout);
    ASSERT_EQ(beside.blocks.size() - first, alone.blocks.size());
    for (size_t b = 0; b < alone.blocks.size(); ++b) {
      EXPECT_EQ(beside.blocks[first + b].segments, alone.blocks[b].segments);
      EXPECT_EQ(beside.blocks[first + b].runs, alone.blocks[b].runs);
      EXPECT_EQ(beside.blocks[first + b].row_segments, alone.blocks[b].row_segments);
      EXPECT_EQ(beside.blocks[first + b].n_rows, alone.blocks[b].n_rows);
    }
  }
}

}  // namespace
}  // namespace lanerope::core
