// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lanerope/token.h"
#include "train/attention/lane_attention.h"

namespace lanerope::train {

// One lane of a training group: what it was fed first (its tag), what it wrote, its end token.
struct LaneTokens {
  std::vector<TokenId> tokens = {};
  int32_t n_forced = 0;  // of them, at the beginning; they are not predicted
  // [tokens] the step of the clock that each is fed in, ascending; empty: one after the other from 0. A lane
  // that sleeps has gaps.
  std::vector<int32_t> steps = {};
  int32_t sees_from = 0;           // which of the tokens is the first that sees other lanes
  std::optional<bool> right = {};  // KTO's label
};

// One group as tokens.
struct TokenGroup {
  std::vector<TokenId> prompt = {};
  std::vector<LaneTokens> lanes = {};
  std::vector<int32_t> lane_index = {};  // [n_lanes] m of each lane; empty: 0, 1, ...
  // One more lane, number n_lanes, which begins behind the last step of the others and sees all of them. What
  // it is told is forced.
  std::optional<LaneTokens> second_stage = {};
};

// Tokens that the model reads for this group: all but those of its last step, which are only predicted. The
// last token of a lane that ended before others is read too, for the others to see, as the engine does;
// before a second stage that of every lane.
int64_t cost(const TokenGroup& group);

// Several groups packed into rows without padding: of each group its prompt, once, then the tokens of its
// lanes step-major, which makes what a token sees a prefix of its group.
//
//    row      0 1 2 3 | 4 5 6 | 7 8 9 | 10 11 | ...
//    token    prompt  | s0    | s1    | s2    |       three lanes, of which one ended before step 2
//    lane     -       | 0 1 2 | 0 1 2 | 0 2   |
//
// A lane that sleeps has no row for that time, as one that has ended. A second stage comes last.
struct LaneBatch {
  torch::Tensor ids;        // (n_rows) i64
  torch::Tensor positions;  // (n_rows) f32 token index in the lane, prompt included
  torch::Tensor lanes;      // (n_rows) f32 m, what omega is multiplied with; 0 for tokens of a prompt
  torch::Tensor in_lane;    // (n_rows, 1) f32 1 for tokens of lanes, 0 for tokens of prompts
  AttentionBatch attention;
  // Rows that exchange through bridges: those of the lanes of one group at one step, a row of each lane that
  // is there. Undefined where none do.
  torch::Tensor
      bridge_rows;  // (n_steps of all groups, most lanes) i64, filled up with a row of the same step
  torch::Tensor bridge_there;  // the same, bool: false where it was filled up
  torch::Tensor target_rows;   // (n_targets) i64 the row whose output predicts ...
  torch::Tensor targets;       // (n_targets) i64 ... this token
  torch::Tensor target_lanes;  // (n_targets) i64 number of its lane in the batch, groups in order
  torch::Tensor lane_groups;   // (n_lanes) i64 group of each lane
  std::vector<std::optional<bool>> right = {};  // [n_lanes]
  int64_t n_groups = 0;
  bool rotated = false;  // some lane has m > 0
  PromptLane prompt_lane = PromptLane::own;

  int64_t n_rows() const { return ids.size(0); }
  int64_t n_lanes() const { return lane_groups.size(0); }
  LaneBatch to(torch::Device device) const;
};

struct BatchOptions {
  Visibility visibility = Visibility::inclusive;
  bool joint = true;
  bool bridged = false;  // lanes exchange through bridges
  PromptLane prompt_lane = PromptLane::own;
  // Rows that belong to no group fill the batch up to a multiple of this: oneDNN makes and keeps code for
  // every number of rows that it meets.
  int64_t row_multiple = 128;
};

// Throws InvalidRequest for a group without a prompt, and for bridges before a second stage.
LaneBatch make_lane_batch(std::span<const TokenGroup> groups, const BatchOptions& options);

}  // namespace lanerope::train
