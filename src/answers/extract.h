// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lanerope/lane_result.h"

namespace lanerope::answers {

struct Answer {
  std::string text;
  AnswerFrom from;
};

// The answer that a text gives: what "####" marks in its last line, where that is an answer and nothing else,
// else the last \boxed{...} that is not empty (several, where "and" joins them), else what the last "####"
// marks, else what follows "the answer is" and its like in English or Chinese, else the yes or no that the
// text begins with, or its last expression. Tags such as "</lane3>" and code give no answer.
std::optional<Answer> find_answer(std::string_view text);

// The same without the last resort, and only where the answer is complete: the brace is closed, the line
// ended. For a text that is still being written.
std::optional<Answer> find_settled_answer(std::string_view text);

// Their texts alone.
std::optional<std::string> extract_answer(std::string_view text);
std::optional<std::string> extract_settled_answer(std::string_view text);

// What a lane says, and why: any answer where it came to its end. One that still writes, or was cut off, must
// have settled on it, since the last number of half a thought is none.
std::optional<Answer> lane_answer(std::string_view text, bool ended);

// Drops what stands around an answer and is no part of it: space, "$", bold, a full stop or slash at the end.
// A number alone loses its thousands commas, a leading "+", leading zeros and zeros behind the decimal point.
std::string normalise_answer(std::string_view answer);

}  // namespace lanerope::answers
