// SPDX-License-Identifier: Apache-2.0
#include "kernels/join_blocks.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lanerope::kernels {
namespace {

using core::AttentionBlock;
using core::CellRange;
using core::CellRun;
using ::testing::ElementsAre;
using ::testing::Field;

// A row that sees all of its prompt and ten cells of its own.
AttentionBlock row_of(int32_t row, const std::vector<CellRun>& prompt) {
  AttentionBlock block{.first_row = row, .n_rows = 1};
  int32_t length = 0;
  for (const CellRun& run : prompt) length += run.length;
  const std::vector<CellRun> own = {{5000 + 10 * row, 10}};
  block.add_segment(core::prompt_row, {.runs = prompt, .length = length});
  block.add_segment(0, {.runs = own, .length = 10});
  block.row_segments = {{{0, length}, {}}, {{0, 10}, {}}};
  return block;
}

std::vector<CellRange> ranges_of(const AttentionBlock& block, int32_t row) {
  std::vector<CellRange> ranges;
  for (const core::RowSegment& segment : block.row(row)) ranges.push_back(segment.visible);
  return ranges;
}

TEST(FindJoin, TakesEqualPromptsWhole) {
  const std::vector<AttentionBlock> blocks = {row_of(0, {{0, 100}}), row_of(1, {{0, 100}}),
                                              row_of(2, {{1, 100}})};
  const Join found = find_join(blocks, 512);
  EXPECT_EQ(found.n_blocks, 2U);
  EXPECT_EQ(found.shared, 100);
}

TEST(FindJoin, TakesWhatPromptsBeginWithInWholeSteps) {
  const std::vector<AttentionBlock> blocks = {row_of(0, {{0, 1300}}),
                                              row_of(1, {{0, 600}, {600, 600}, {2000, 100}})};
  const Join found = find_join(blocks, 512);
  EXPECT_EQ(found.n_blocks, 2U);
  EXPECT_EQ(found.shared, 1024) << "1,200 are common";
}

TEST(FindJoin, LeavesPromptsAloneThatShareLessThanTheyHaveLeft) {
  const std::vector<AttentionBlock> less = {row_of(0, {{0, 600}}), row_of(1, {{0, 600}, {2000, 600}})};
  EXPECT_EQ(find_join(less, 512).n_blocks, 1U) << "512 of 1,200";
  const std::vector<AttentionBlock> short_ones = {row_of(0, {{0, 300}}), row_of(1, {{0, 300}, {2000, 1}})};
  EXPECT_EQ(find_join(short_ones, 512).n_blocks, 1U) << "less than a step";
}

TEST(FindJoin, LeavesRowsAloneThatTurnOtherwise) {
  std::vector<AttentionBlock> blocks = {row_of(0, {{0, 100}}), row_of(1, {{0, 100}})};
  blocks[0].frequencies = std::make_shared<core::ClassFrequencies>(core::ClassFrequencies{.theta = {1}});
  blocks[1].frequencies = std::make_shared<core::ClassFrequencies>(core::ClassFrequencies{.theta = {2}});
  EXPECT_EQ(find_join(blocks, 512).n_blocks, 1U);
  blocks[1].frequencies = std::make_shared<core::ClassFrequencies>(*blocks[0].frequencies);
  EXPECT_EQ(find_join(blocks, 512).n_blocks, 2U);
}

TEST(JoinBlocks, GivesEachRowWhatItSawBefore) {
  const std::vector<CellRun> first = {{0, 600}, {1000, 20}};
  const std::vector<CellRun> second = {{0, 600}, {2000, 30}};
  const std::vector<AttentionBlock> blocks = {row_of(0, first), row_of(1, first), row_of(2, second)};
  const AttentionBlock all = join(blocks, 512);
  ASSERT_EQ(all.n_rows, 3);
  // Shared; the rest of the first prompt, lane, lane; the rest of the second, lane.
  EXPECT_THAT(
      all.segments,
      ElementsAre(Field(&AttentionBlock::Segment::length, 512), Field(&AttentionBlock::Segment::length, 108),
                  Field(&AttentionBlock::Segment::length, 10), Field(&AttentionBlock::Segment::length, 10),
                  Field(&AttentionBlock::Segment::length, 118), Field(&AttentionBlock::Segment::length, 10)));
  EXPECT_THAT(all.runs_of(all.segments[4]), ElementsAre(CellRun{512, 88}, CellRun{2000, 30}));
  const CellRange none;
  EXPECT_THAT(ranges_of(all, 0),
              ElementsAre(CellRange{0, 512}, CellRange{0, 108}, CellRange{0, 10}, none, none, none));
  EXPECT_THAT(ranges_of(all, 1),
              ElementsAre(CellRange{0, 512}, CellRange{0, 108}, none, CellRange{0, 10}, none, none));
  EXPECT_THAT(ranges_of(all, 2),
              ElementsAre(CellRange{0, 512}, none, none, none, CellRange{0, 118}, CellRange{0, 10}));
}

TEST(JoinBlocks, CutsRangesWhereTheSharedCellsEnd) {
  std::vector<AttentionBlock> blocks = {row_of(0, {{0, 700}}), row_of(1, {{0, 600}, {2000, 30}})};
  blocks[0].row_segments.front() = {{600, 700}, {3, 4}};
  blocks[1].row_segments.front() = {{100, 520}, {5, 6}};
  const AttentionBlock all = join(blocks, 512);
  EXPECT_EQ(all.row(0)[0], core::RowSegment{}) << "sees nothing of them";
  EXPECT_EQ(all.row(0)[1], (core::RowSegment{{88, 188}, {3, 4}}));
  EXPECT_EQ(all.row(1)[0], (core::RowSegment{{100, 512}, {5, 6}}));
  EXPECT_EQ(all.row(1)[3], (core::RowSegment{{0, 8}, {5, 6}}));
}

}  // namespace
}  // namespace lanerope::kernels
