// SPDX-License-Identifier: Apache-2.0
#include "train/lane_batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "lanerope/errors.h"

namespace lanerope::train {
namespace {

using testing::ElementsAre;
using testing::Optional;

template <typename T>
std::vector<T> values(const torch::Tensor& tensor) {
  const torch::Tensor flat = tensor.contiguous();
  return {flat.data_ptr<T>(), flat.data_ptr<T>() + flat.numel()};
}

std::vector<int64_t> numbers(const torch::Tensor& tensor) {
  return values<int64_t>(tensor);
}

// The group that lane_batch.h draws: three lanes with a tag of one token each, of which the second ends
// early.
TokenGroup drawn() {
  return {.prompt = {10, 11, 12, 13},
          .lanes = {{.tokens = {20, 21, 22, 23}, .n_forced = 1, .right = true},
                    {.tokens = {30, 31}, .n_forced = 1, .right = false},
                    {.tokens = {40, 41, 42, 43}, .n_forced = 1}}};
}

LaneBatch batch_of(const std::vector<TokenGroup>& groups, int64_t row_multiple = 1) {
  return make_lane_batch(groups, {.row_multiple = row_multiple});
}

TEST(LaneBatch, HoldsThePromptOnceAndThenLanesStepByStep) {
  const LaneBatch batch = batch_of({drawn()});
  EXPECT_THAT(numbers(batch.ids), ElementsAre(10, 11, 12, 13, 20, 30, 40, 21, 31, 41, 22, 42));
  EXPECT_THAT(values<float>(batch.lanes), ElementsAre(0, 0, 0, 0, 0, 1, 2, 0, 1, 2, 0, 2));
  EXPECT_THAT(values<float>(batch.in_lane), ElementsAre(0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1));
  EXPECT_EQ(batch.in_lane.dim(), 2);
  EXPECT_EQ(cost(drawn()), 12);
}

TEST(LaneBatch, CountsPositionsFromThePromptsBeginningInEveryLane) {
  EXPECT_THAT(values<float>(batch_of({drawn()}).positions), ElementsAre(0, 1, 2, 3, 4, 4, 4, 5, 5, 5, 6, 6));
}

TEST(LaneBatch, TellsAttentionLaneAndClockOfEveryRow) {
  const LaneBatch batch = make_lane_batch(
      std::vector{drawn()}, {.visibility = Visibility::strict, .joint = false, .row_multiple = 1});
  const AttentionLayout& layout = batch.attention.layout();
  EXPECT_EQ(layout.visibility, Visibility::strict);
  EXPECT_FALSE(layout.joint);
  ASSERT_EQ(layout.groups.size(), 1U);
  EXPECT_EQ(layout.groups[0].first, 0);
  EXPECT_EQ(layout.groups[0].n_prompt, 4);
  EXPECT_EQ(layout.groups[0].n_tokens, 12);
  EXPECT_THAT(std::vector(layout.lane.begin() + 4, layout.lane.end()), ElementsAre(0, 1, 2, 0, 1, 2, 0, 2));
  EXPECT_THAT(std::vector(layout.step.begin() + 4, layout.step.end()), ElementsAre(0, 0, 0, 1, 1, 1, 2, 2));
}

TEST(LaneBatch, TellsAttentionWhichRowsSeeNoOtherLane) {
  TokenGroup group = drawn();
  group.lanes[0].sees_from = 2;
  group.lanes[2].sees_from = 100;
  const LaneBatch batch = batch_of({group});
  EXPECT_THAT(batch.attention.layout().alone, ElementsAre(0, 0, 0, 0, 1, 0, 1, 1, 0, 1, 0, 1));
}

TEST(LaneBatch, PredictsWhatLanesWroteAndNeitherPromptsNorTags) {
  const LaneBatch batch = batch_of({drawn()});
  EXPECT_THAT(numbers(batch.targets), ElementsAre(21, 31, 41, 22, 42, 23, 43));
  EXPECT_THAT(numbers(batch.target_rows), ElementsAre(4, 5, 6, 7, 9, 10, 11));
  EXPECT_THAT(numbers(batch.target_lanes), ElementsAre(0, 1, 2, 0, 2, 0, 2));
  EXPECT_THAT(batch.right, ElementsAre(Optional(true), Optional(false), std::nullopt));
}

TEST(LaneBatch, PredictsTheFirstTokenOfALaneWithoutATagFromThePrompt) {
  const LaneBatch batch = batch_of({{.prompt = {10, 11}, .lanes = {{.tokens = {20, 21}}}}});
  EXPECT_THAT(numbers(batch.ids), ElementsAre(10, 11, 20));
  EXPECT_THAT(numbers(batch.targets), ElementsAre(20, 21));
  EXPECT_THAT(numbers(batch.target_rows), ElementsAre(1, 2));
}

// The engine feeds the last token of a lane that ended for the others to see; nobody sees the very last ones.
TEST(LaneBatch, ReadsTheLastTokenOfALaneThatOthersOutlive) {
  const LaneBatch batch =
      batch_of({{.prompt = {10}, .lanes = {{.tokens = {20}}, {.tokens = {30, 31}}, {.tokens = {40, 41}}}}});
  EXPECT_THAT(numbers(batch.ids), ElementsAre(10, 20, 30, 40));
  EXPECT_THAT(numbers(batch.targets), ElementsAre(20, 30, 40, 31, 41));
  EXPECT_THAT(numbers(batch.target_rows), ElementsAre(0, 0, 0, 2, 3));
}

// It is lane 3, told one token, and reads every lane's last token.
TEST(LaneBatch, PutsASecondStageBehindAllLanes) {
  TokenGroup group = drawn();
  group.second_stage = LaneTokens{.tokens = {50, 51, 52}, .n_forced = 1};
  const LaneBatch batch = batch_of({group, drawn()});
  EXPECT_THAT(std::vector(numbers(batch.ids)).size(), 28U);
  EXPECT_EQ(cost(group), 16);
  const std::vector<int64_t> ids = numbers(batch.ids);
  EXPECT_THAT(std::vector(ids.begin() + 10, ids.begin() + 17), ElementsAre(22, 42, 23, 43, 50, 51, 10));
  const std::vector<float> positions = values<float>(batch.positions);
  EXPECT_THAT(std::vector(positions.begin() + 12, positions.begin() + 16), ElementsAre(7, 7, 8, 9));
  EXPECT_EQ(values<float>(batch.lanes)[14], 3);
  const AttentionLayout& layout = batch.attention.layout();
  EXPECT_EQ(layout.groups[0].second_stage, 14);
  EXPECT_EQ(layout.groups[0].n_tokens, 16);
  EXPECT_EQ(layout.groups[1].second_stage, 0);
  // 3 + 1 + 3 tokens of lanes behind tags, two of the second stage behind what it was told.
  EXPECT_THAT(numbers(batch.targets),
              ElementsAre(21, 31, 41, 22, 42, 23, 43, 51, 52, 21, 31, 41, 22, 42, 23, 43));
  EXPECT_EQ(numbers(batch.target_rows)[7], 14);
  EXPECT_EQ(numbers(batch.target_lanes)[8], 3);
  EXPECT_THAT(numbers(batch.lane_groups), ElementsAre(0, 0, 0, 0, 1, 1, 1));
}

TEST(LaneBatch, ASecondStageStandsWithLanesThatAreClosedToOneAnother) {
  TokenGroup group = drawn();
  group.second_stage = LaneTokens{.tokens = {50, 51, 52}, .n_forced = 1};
  EXPECT_FALSE(make_lane_batch(std::vector{group}, {.joint = false, .row_multiple = 1}).rotated);
  EXPECT_THROW(make_lane_batch(std::vector{group}, {.joint = false, .bridged = true}), InvalidRequest);
}

TEST(LaneBatch, GivesLanesTheNumbersOfTheirGroup) {
  TokenGroup group = drawn();
  EXPECT_TRUE(batch_of({group}).rotated);
  group.lane_index = {2, 0, 1};
  const LaneBatch batch = batch_of({group});
  EXPECT_THAT(values<float>(batch.lanes), ElementsAre(0, 0, 0, 0, 2, 0, 1, 2, 0, 1, 2, 1));
  EXPECT_THAT(numbers(batch.target_lanes), ElementsAre(0, 1, 2, 0, 2, 0, 2))
      << "lanes of the batch, in order";
  group.lanes.resize(1);
  group.lane_index = {};
  EXPECT_FALSE(batch_of({group}).rotated) << "lane 0 alone";
}

TEST(LaneBatch, PacksGroupsBehindOneAnother) {
  const TokenGroup single{.prompt = {50, 51}, .lanes = {{.tokens = {60, 61, 62}}}};
  const LaneBatch batch = batch_of({drawn(), single});
  EXPECT_EQ(batch.n_rows(), cost(drawn()) + cost(single));
  EXPECT_EQ(batch.n_groups, 2);
  EXPECT_THAT(numbers(batch.lane_groups), ElementsAre(0, 0, 0, 1));
  const GroupSpan& second = batch.attention.layout().groups[1];
  EXPECT_EQ(second.first, 12);
  EXPECT_EQ(second.n_prompt, 2);
  EXPECT_EQ(second.n_tokens, 4);
  const std::vector<int64_t> rows = numbers(batch.target_rows);
  EXPECT_THAT(std::vector(rows.end() - 3, rows.end()), ElementsAre(13, 14, 15));
  EXPECT_EQ(numbers(batch.target_lanes).back(), 3);
}

TEST(LaneBatch, IsFilledUpToAMultipleWithRowsOfNoGroup) {
  const LaneBatch plain = batch_of({drawn()});
  const LaneBatch padded = batch_of({drawn()}, 32);
  EXPECT_EQ(padded.n_rows(), 32);
  EXPECT_EQ(padded.attention.n_tokens(), 32);
  EXPECT_TRUE(torch::equal(padded.ids.slice(0, 0, 12), plain.ids));
  EXPECT_TRUE(torch::equal(padded.target_rows, plain.target_rows));
  EXPECT_EQ(padded.attention.layout().groups[0].n_tokens, 12);
  EXPECT_EQ(padded.in_lane.slice(0, 12).sum().item<float>(), 0);
}

TEST(LaneBatch, NeedsAPrompt) {
  EXPECT_THROW(batch_of({{.lanes = {{.tokens = {1, 2}}}}}), InvalidRequest);
}

}  // namespace
}  // namespace lanerope::train
