// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "lanerope/lane_result.h"

namespace lanerope::answers {

// What the answers of a question are; `any` finds out from the answer.
enum class AnswerKind {
  any,
  choice,  // letters from A to J, one or several
  yes_no,
  exact,  // a text that counts as it is spelled
  code,   // a program, judged by running it; as texts two are equal where they are spelled alike
};

// Whether an answer says what the truth says, as docs/answers.md has it: exactly where both are exact, a
// decimal by its own precision, in any order for sets and lists, a unit on one side alone not counted, a
// percentage as its number or its hundredth. Symmetric and reflexive; not transitive, as no comparison with
// roundings is.
bool answers_equal(std::string_view given, std::string_view truth, AnswerKind kind = AnswerKind::any);

// Answers in groups, each with the one that came first as what the others are compared with: an answer joins
// the first group whose first answer it equals, so that a vote does not depend on chains of roundings.
class AnswerGroups {
 public:
  explicit AnswerGroups(AnswerKind kind = AnswerKind::any) : kind_(kind) {}

  // The group of an answer; a new one where it equals none.
  size_t add(std::string_view answer, double weight = 1);

  // In the order of their first answers, each under that answer and with how many joined it, and their
  // weights.
  const std::vector<Vote>& votes() const { return votes_; }

 private:
  AnswerKind kind_;
  std::vector<Vote> votes_;
};

// The heaviest first; where votes weigh alike (within one part in 10^9) that of more lanes, then the one that
// stands first.
std::vector<Vote> ranked(std::vector<Vote> votes);

}  // namespace lanerope::answers
