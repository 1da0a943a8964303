// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "lanerope/result.h"

namespace lanerope::answers {

// What the answers of a question are; `any` finds out from the answer.
enum class AnswerKind { any, choice, yes_no, exact };

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
  size_t add(std::string_view answer);

  // In the order of their first answers, each under that answer and with how many joined it.
  const std::vector<Vote>& votes() const { return votes_; }

 private:
  AnswerKind kind_;
  std::vector<Vote> votes_;
};

}  // namespace lanerope::answers
