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
  // Where the question asks for several answers: each of them; `answer` lists them. Each is scored by itself.
  std::vector<std::string> parts = {};
};

// How right a lane that came to its end is: 1 if it says what the truth says, else the share of the truth's
// parts that it says in their places; where a command judged it, what that said.
double rightness(const EvalLane& lane, const Truth& truth);

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
  double share = 0;                   // how right: of several answers the share that are, else `right`
};

// All lanes of one question under one arm. Its answers are compared with the truth and with one another once,
// in the order in which lanes gave them, whatever budgets are asked about afterwards. Points into the
// records.
class QuestionLanes {
 public:
  QuestionLanes() = default;
  QuestionLanes(const std::vector<const EvalRecord*>& groups, const Truth& truth);

  size_t size() const { return lanes_.size(); }
  std::span<const EvalLane* const> lanes() const { return lanes_; }
  const std::vector<JudgedAnswer>& answers() const { return answers_; }

  // Where the question asks for several answers: the same lanes with one of them each, to be scored by
  // itself.
  std::span<const QuestionLanes> parts() const { return parts_; }

  // Seconds from its start to the last lane's end or `budget` steps, its groups beside one another: of a
  // group what its decoding took, in proportion to its steps.
  double seconds_within(int32_t budget) const;

  // What each lane says after `budget` steps, as many tokens where it did not sleep: nothing that it wrote
  // later counts. A lane that has not ended by then says nothing, or with `unfinished` what it had settled
  // on.
  std::vector<LaneVote> within(int32_t budget, bool unfinished) const;

 private:
  struct Wording {
    size_t answer = 0;
    bool right = false;
  };
  // The part of what a lane says that counts here, if there is one.
  std::optional<std::string> counted(const std::string& said) const;
  void judge_all(const Truth& truth);
  // How right it is to say this where no command judged it: of several answers the share that are.
  double share_of(const std::string& said) const;
  // `passed`: the verdict of a command, where there is one.
  void judge(const std::string& said, const Truth& truth, std::optional<bool> passed);

  std::vector<const EvalRecord*> groups_ = {};
  std::vector<const EvalLane*> lanes_ = {};
  std::vector<JudgedAnswer> answers_ = {};
  std::map<std::string, Wording, std::less<>> wordings_ = {};
  std::vector<QuestionLanes> parts_ = {};
  // Of one of a question's parts: which, and of how many.
  size_t part_ = 0;
  size_t of_parts_ = 1;
};

// maj@k: 1 if the answer that most lanes give is right, a share of it for a tie, 0 where there is none.
double majority(const QuestionLanes& question, std::span<const LaneVote> votes);

}  // namespace lanerope::eval
