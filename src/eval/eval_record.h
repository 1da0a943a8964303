// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lanerope/lane_result.h"

namespace lanerope::eval {

// An answer that a lane had given, complete and marked, `length` steps of the clock after its group began:
// the tokens it had spent by then, if it did not sleep.
struct SettledAnswer {
  int32_t length = 0;
  std::string answer = {};
  bool operator==(const SettledAnswer&) const = default;
};

// What one lane wrote in an evaluation.
struct EvalLane {
  std::string text = {};
  std::optional<std::string> answer = {};
  std::optional<AnswerFrom> answer_from = {};
  bool ended = false;  // by itself, within the budget
  int32_t length =
      0;  // steps until it had ended, tag and end token included: its tokens, if it did not sleep
  int32_t start_step = 0;  // the clock when it joined: more than 0 of a lane that a policy added
  // The step from which a budget counts: of a lane that sees no other its start, else the group's.
  int32_t counted_from = 0;
  // Of a second stage: the tokens of the lanes that it read. Those lanes are not in the record, and steps are
  // counted from its own beginning.
  int32_t read_tokens = 0;
  std::vector<Sleep> sleeps = {};
  double mean_logprob = 0;  // over the sampled tokens
  std::optional<Certainty> certainty = {};
  std::optional<double> verifier_score = {};
  std::optional<bool> passed = {};          // where a command judges: its verdict
  std::vector<SettledAnswer> settled = {};  // each that differs from the one before it, in order
  bool operator==(const EvalLane&) const = default;

  // What a budget leaves of it ends at this step of the clock.
  int32_t end_of(int32_t budget) const { return counted_from + budget; }
  // That it had spent within a budget, with those that it read.
  int32_t tokens_within(int32_t budget) const;
  int32_t tokens() const { return tokens_within(length); }
};

// One group of one question under one arm.
struct EvalRecord {
  std::string arm = {};
  int64_t question = 0;  // index in the question file
  int32_t group = 0;
  std::vector<EvalLane> lanes = {};
  double seconds = 0;  // the group's decoding, others beside it
  int32_t steps = 0;
};

// One JSON line, without a line break.
std::string to_line(const EvalRecord& record);
// Nothing for a line that is no record, such as one that was cut off.
std::optional<EvalRecord> parse_record(std::string_view line);

}  // namespace lanerope::eval
