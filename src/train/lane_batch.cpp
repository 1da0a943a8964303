// SPDX-License-Identifier: Apache-2.0
#include "train/lane_batch.h"

#include <algorithm>

#include "lanerope/errors.h"

namespace lanerope::train {

namespace {

// Columns of the batch while it is put together.
struct Rows {
  std::vector<int64_t> ids;
  std::vector<float> positions;
  std::vector<float> lanes;
  std::vector<float> in_lane;
  AttentionLayout layout;
  std::vector<int64_t> target_rows;
  std::vector<int64_t> targets;
  std::vector<int64_t> target_lanes;
  std::vector<int64_t> lane_groups;
  std::vector<std::optional<bool>> right;

  int64_t size() const { return static_cast<int64_t>(ids.size()); }

  void add(TokenId token, int64_t position, int32_t lane, int32_t step) {
    ids.push_back(token);
    positions.push_back(static_cast<float>(position));
    lanes.push_back(static_cast<float>(std::max(lane, 0)));
    in_lane.push_back(lane < 0 ? 0.0F : 1.0F);
    layout.lane.push_back(lane);
    layout.step.push_back(step);
    layout.alone.push_back(0);
  }

  void expect(int64_t row, TokenId token, int64_t lane) {
    target_rows.push_back(row);
    targets.push_back(token);
    target_lanes.push_back(lane);
  }
};

int32_t step_of(const LaneTokens& lane, size_t token) {
  return lane.steps.empty() ? static_cast<int32_t>(token) : lane.steps[token];
}

// The step behind the last one of all lanes, where a second stage begins.
int32_t end_step(const TokenGroup& group) {
  int32_t end = 0;
  for (const LaneTokens& lane : group.lanes) {
    if (!lane.tokens.empty()) end = std::max(end, step_of(lane, lane.tokens.size() - 1) + 1);
  }
  return end;
}

// Behind the rows of the group's lanes.
void add_second_stage(Rows& rows, const TokenGroup& group, int64_t number) {
  const LaneTokens& stage = *group.second_stage;
  const auto n_prompt = static_cast<int64_t>(group.prompt.size());
  const auto n_lanes = static_cast<int32_t>(group.lanes.size());
  const auto lane = static_cast<int64_t>(rows.lane_groups.size());
  rows.lane_groups.push_back(number);
  rows.right.push_back(stage.right);
  const int32_t start = end_step(group);
  for (size_t i = 0; i < stage.tokens.size(); ++i) {
    if (static_cast<int32_t>(i) >= stage.n_forced) rows.expect(rows.size() - 1, stage.tokens[i], lane);
    if (i + 1 == stage.tokens.size()) break;
    const int32_t step = start + static_cast<int32_t>(i);
    rows.add(stage.tokens[i], n_prompt + step, n_lanes, step);
  }
}

void add_group(Rows& rows, const TokenGroup& group, int64_t number) {
  if (group.prompt.empty()) throw InvalidRequest("a training group has an empty prompt");
  const int64_t first = rows.size();
  const auto n_prompt = static_cast<int64_t>(group.prompt.size());
  for (int64_t i = 0; i < n_prompt; ++i) rows.add(group.prompt[i], i, -1, static_cast<int32_t>(i));

  const auto first_lane = static_cast<int64_t>(rows.lane_groups.size());
  for (const LaneTokens& lane : group.lanes) {
    rows.lane_groups.push_back(number);
    rows.right.push_back(lane.right);
  }
  const int32_t steps = end_step(group);
  const int32_t steps_read = group.second_stage ? steps : steps - 1;  // else nothing is predicted later
  std::vector<int64_t> last_row(group.lanes.size(), first + n_prompt - 1);
  std::vector<size_t> next(group.lanes.size(), 0);
  for (int32_t step = 0; step < steps; ++step) {
    for (size_t m = 0; m < group.lanes.size(); ++m) {
      const LaneTokens& lane = group.lanes[m];
      const size_t i = next[m];
      if (i >= lane.tokens.size() || step_of(lane, i) != step) continue;
      ++next[m];
      if (static_cast<int32_t>(i) >= lane.n_forced)
        rows.expect(last_row[m], lane.tokens[i], first_lane + static_cast<int64_t>(m));
      if (step >= steps_read) continue;
      last_row[m] = rows.size();
      const int32_t index = group.lane_index.empty() ? static_cast<int32_t>(m) : group.lane_index[m];
      rows.add(lane.tokens[i], n_prompt + step, index, step);
      if (static_cast<int32_t>(i) < lane.sees_from) rows.layout.alone.back() = 1;
    }
  }
  GroupSpan span{.first = first, .n_prompt = n_prompt, .n_tokens = rows.size() - first};
  if (group.second_stage) {
    span.second_stage = rows.size() - first;
    add_second_stage(rows, group, number);
    span.n_tokens = rows.size() - first;
  }
  rows.layout.groups.push_back(span);
}

torch::Tensor tensor_of(const std::vector<int64_t>& values) {
  return torch::tensor(values, torch::kInt64);
}

// The rows of lanes, step after step: those of one step follow one another.
void set_bridges(LaneBatch& batch) {
  const AttentionLayout& layout = batch.attention.layout();
  std::vector<std::vector<int64_t>> steps;
  size_t most = 0;
  for (const GroupSpan& group : layout.groups) {
    for (int64_t row = group.first + group.n_prompt; row < group.first + group.n_tokens; ++row) {
      const bool first = row == group.first + group.n_prompt || layout.step[row] != layout.step[row - 1];
      if (first) steps.emplace_back();
      steps.back().push_back(row);
      most = std::max(most, steps.back().size());
    }
  }
  if (steps.empty()) return;
  std::vector<int64_t> rows;
  std::vector<int64_t> there;
  for (const std::vector<int64_t>& step : steps) {
    for (size_t m = 0; m < most; ++m) {
      rows.push_back(m < step.size() ? step[m] : step.front());
      there.push_back(m < step.size() ? 1 : 0);
    }
  }
  const auto shape = {static_cast<int64_t>(steps.size()), static_cast<int64_t>(most)};
  batch.bridge_rows = tensor_of(rows).reshape(shape);
  batch.bridge_there = tensor_of(there).reshape(shape).to(torch::kBool);
}

torch::Tensor tensor_of(const std::vector<float>& values) {
  return torch::tensor(values, torch::kFloat32);
}

}  // namespace

int64_t cost(const TokenGroup& group) {
  const int32_t last = end_step(group) - 1;
  auto tokens = static_cast<int64_t>(group.prompt.size());
  if (group.second_stage) {
    for (const LaneTokens& lane : group.lanes) tokens += std::ssize(lane.tokens);
    return tokens + std::max<int64_t>(std::ssize(group.second_stage->tokens) - 1, 0);
  }
  for (const LaneTokens& lane : group.lanes) {
    const auto length = static_cast<int64_t>(lane.tokens.size());
    const bool to_the_end = length > 0 && step_of(lane, lane.tokens.size() - 1) == last;
    tokens += length - (to_the_end ? 1 : 0);
  }
  return tokens;
}

LaneBatch make_lane_batch(std::span<const TokenGroup> groups, const BatchOptions& options) {
  Rows rows;
  rows.layout.visibility = options.visibility;
  rows.layout.joint = options.joint;
  for (const TokenGroup& group : groups)
    add_group(rows, group, static_cast<int64_t>(rows.layout.groups.size()));
  while (rows.size() % options.row_multiple != 0) rows.add(0, 0, -1, 0);
  const bool staged =
      std::ranges::any_of(groups, [](const TokenGroup& group) { return group.second_stage.has_value(); });
  if (staged && options.bridged)
    throw InvalidRequest(
        "lanes that exchange through bridges have no second stage yet; leave one of them out");
  // Lanes that are closed to one another stand in one place, also for a second stage that reads them.
  if (staged && !options.joint) std::ranges::fill(rows.lanes, 0.0F);
  const bool rotated = std::ranges::any_of(rows.lanes, [](float m) { return m > 0; });
  LaneBatch batch{.ids = tensor_of(rows.ids),
                  .positions = tensor_of(rows.positions),
                  .lanes = tensor_of(rows.lanes),
                  .in_lane = tensor_of(rows.in_lane).unsqueeze(1),
                  .attention = AttentionBatch(std::move(rows.layout)),
                  .bridge_rows = {},
                  .bridge_there = {},
                  .target_rows = tensor_of(rows.target_rows),
                  .targets = tensor_of(rows.targets),
                  .target_lanes = tensor_of(rows.target_lanes),
                  .lane_groups = tensor_of(rows.lane_groups),
                  .right = std::move(rows.right),
                  .n_groups = static_cast<int64_t>(groups.size()),
                  .rotated = rotated,
                  .prompt_lane = options.prompt_lane};
  if (options.bridged) set_bridges(batch);
  return batch;
}

LaneBatch LaneBatch::to(torch::Device device) const {
  LaneBatch moved = *this;
  for (torch::Tensor* tensor :
       {&moved.ids, &moved.positions, &moved.lanes, &moved.in_lane, &moved.bridge_rows, &moved.bridge_there,
        &moved.target_rows, &moved.targets, &moved.target_lanes, &moved.lane_groups}) {
    if (tensor->defined()) *tensor = tensor->to(device);
  }
  return moved;
}

}  // namespace lanerope::train
