// SPDX-License-Identifier: Apache-2.0
#include "engine/step_batch.h"

#include <algorithm>

namespace lanerope::engine {

namespace {

// Logits of every row of a prompt are wanted: they take as many numbers a row as there are tokens.
constexpr int32_t most_scored_rows = 64;

// The next tokens of a prompt.
std::vector<core::GroupRow> prompt_rows(Group& group, int32_t room) {
  std::vector<core::GroupRow> rows;
  const int32_t from = group.memory().prompt().read;
  const int32_t most = group.scores_prompt() ? std::min(room, most_scored_rows) : room;
  const int32_t to = std::min(group.n_prompt(), from + most);
  for (int32_t i = from; i < to; ++i) rows.push_back({.lane = core::prompt_row, .step = i});
  return rows;
}

class Assembler {
 public:
  explicit Assembler(model::BatchBuilder batch) : batch_(std::move(batch)) {}

  // Whatever goes wrong with `rows_of(group)` or on the way into the batch is the group's own error.
  template <typename RowsOf>
  void try_to_add(Group& group, const std::function<void(const Group&)>& before, RowsOf rows_of) {
    try {
      if (before) before(group);
      add(group, rows_of(group));
    } catch (...) {
      throw GroupError{.group = &group, .cause = std::current_exception()};
    }
  }

  void add(Group& group, std::vector<core::GroupRow> rows) {
    if (rows.empty()) return;  // all of its lanes wait for tools
    std::vector<model::BatchRow> batch_rows;
    for (const core::GroupRow& row : rows) batch_rows.push_back(batch_row(group, row));
    const bool of_prompt = rows.front().lane == core::prompt_row;
    const ResolvedRequest& request = group.request();
    model::BatchSlice at = batch_.add(group.memory().view(rows), batch_rows,
                                      of_prompt ? request.prompt_scales : request.lane_scales);
    if (request.asked.attention != AttentionRecording::none) batch_.record(model::AttentionDetail::mass);
    slices_.push_back({.group = &group, .rows = std::move(rows), .at = std::move(at)});
  }

  int32_t n_rows() const { return batch_.n_rows(); }

  StepBatch finish() && { return {.batch = std::move(batch_).finish(), .slices = std::move(slices_)}; }

 private:
  static model::BatchRow batch_row(Group& group, const core::GroupRow& row) {
    if (row.lane == core::prompt_row) {
      return {.row = row,
              .token = group.memory().prompt().tokens[row.step],
              .position = row.step,
              .cell = group.memory().prompt().cell_of(row.step),
              .output = group.scores_prompt() || row.step + 1 == group.n_prompt()};
    }
    return {.row = row,
            .token = group.token_at(row),
            .position = group.n_prompt() + row.step,
            .cell = group.memory().cell_at(row),
            .output = group.state() == GroupState::decode && group.wants_logits(row)};
  }

  model::BatchBuilder batch_;
  std::vector<StepBatch::Slice> slices_;
};

}  // namespace

StepBatch assemble(std::vector<std::unique_ptr<Group>>& groups, const PrefillPace& pace, Assembly assembly) {
  Assembler step(std::move(assembly.batch));
  for (const auto& group : groups) {
    if (group->state() != GroupState::decode) continue;
    step.try_to_add(*group, assembly.before, [](const Group& of) { return of.decode_rows(); });
  }
  const int32_t lane_rows = step.n_rows();
  const int32_t most_rows = lane_rows + pace.prompt_rows(lane_rows);
  for (const auto& group : groups) {
    const int32_t room = most_rows - step.n_rows();
    if (room <= 0) break;
    if (group->state() == GroupState::refill) {
      step.try_to_add(*group, assembly.before, [room](const Group& of) { return of.refill_rows(room); });
    } else if (group->state() == GroupState::prefill && !group->memory().waits_for_prefix()) {
      step.try_to_add(*group, assembly.before, [room](Group& of) { return prompt_rows(of, room); });
    }
  }
  StepBatch whole = std::move(step).finish();
  whole.lane_rows = lane_rows;
  return whole;
}

StepBatch assemble_again(const StepBatch::Slice& slice, model::BatchBuilder batch) {
  Assembler step(std::move(batch));
  step.add(*slice.group, slice.rows);
  return std::move(step).finish();
}

}  // namespace lanerope::engine
