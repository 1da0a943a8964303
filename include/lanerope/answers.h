// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lanerope/lane_result.h"

namespace lanerope {

// What a text answers, and why that was taken to be its answer.
struct FoundAnswer {
  std::string text = {};
  AnswerFrom from = AnswerFrom::last_expression;
};

// What a lane says: any answer where it came to its end, and only one that is marked as an answer where it
// still writes or was cut off. LaneResult::answer is found like this (docs/answers.md).
std::optional<FoundAnswer> find_answer(std::string_view text, bool ended);

// Whether an answer says what the truth says: exactly where both are exact, a decimal by its own precision,
// sets in any order. Symmetric; not transitive.
bool same_answer(std::string_view given, std::string_view truth);

// The `count` answers that one answer lists, as in "(5, 1,234, 7)", each in its usual spelling;
// nothing where it lists another number of them.
std::vector<std::string> listed_answers(std::string_view answer, size_t count);

}  // namespace lanerope
