// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "answers/extract.h"

namespace lanerope::answers {

// The answer of a lane whose text had to be JSON: its member "answer", "final_answer" or "result", the first
// of them that is there (AnswerFrom::mark), else all of it, spelled without spaces and with its members in
// the order of their names (AnswerFrom::format). Nothing for a text that is no JSON, as one that was cut off.
std::optional<Answer> json_answer(std::string_view text);

// The answer of a lane that could write nothing but an answer: its text, without the space around it.
std::optional<Answer> whole_answer(std::string_view text);

}  // namespace lanerope::answers
