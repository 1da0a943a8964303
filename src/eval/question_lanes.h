// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "answers/equal.h"
#include "eval/eval_record.h"

namespace lanerope::eval {

using answers::AnswerKind;

// What the answers of one question are measured against.
struct Truth {
  std::string answer = {};
  AnswerKind kind = AnswerKind::any;
};

// Whether a lane that came to its end says what the truth says; where a command judged it, what that said.
bool is_right(const EvalLane& lane, const Truth& truth);

// An answer that lanes gave, one for all that are equal.
struct JudgedAnswer {
  std::string text = {};  // as it was written first
  bool right = false;
};

// What one lane says within a budget.
struct LaneVote {
  const EvalLane* lane = nullptr;
  bool ended = false;                 // within the budget
  std::optional<size_t> answer = {};  // index in QuestionLanes::answers()
  bool right = false;                 // the lane's own wording is; that of the answers' first may differ
};

// All lanes of one question under one arm. Its answers are compared with the truth and with one another once,
// in the order in which lanes gave them, whatever budgets are asked about afterwards. Points into the
// records.
class QuestionLanes {
 public:
  QuestionLanes() = default;
  QuestionLanes(std::vector<const EvalRecord*> groups, const Truth& truth);

  size_t size() const { return lanes_.size(); }
  std::span<const EvalLane* const> lanes() const { return lanes_; }
  const std::vector<JudgedAnswer>& answers() const { return answers_; }

  // Seconds from its start to the last lane's end or `budget` tokens, its groups beside one another: of a
  // group what its decoding took, in proportion to its steps.
  double seconds_within(int32_t budget) const;

  // What each lane says with `budget` tokens: nothing that it wrote later counts. A lane that has not ended
  // by then says nothing, or with `unfinished` what it had settled on.
  std::vector<LaneVote> within(int32_t budget, bool unfinished) const;

 private:
  struct Wording {
    size_t answer = 0;
    bool right = false;
  };
  // `passed`: the verdict of a command, where there is one.
  void judge(const std::string& answer, const Truth& truth, std::optional<bool> passed);

  std::vector<const EvalRecord*> groups_ = {};
  std::vector<const EvalLane*> lanes_ = {};
  std::vector<JudgedAnswer> answers_ = {};
  std::map<std::string, Wording, std::less<>> wordings_ = {};
};

// maj@k: 1 if the answer that most lanes give is right, a share of it for a tie, 0 where there is none.
double majority(const QuestionLanes& question, std::span<const LaneVote> votes);

}  // namespace lanerope::eval
