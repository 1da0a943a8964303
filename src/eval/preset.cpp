// SPDX-License-Identifier: Apache-2.0
#include "eval/preset.h"

#include <algorithm>

#include "lanerope/errors.h"

namespace lanerope::eval {

namespace {

using answers::AnswerKind;

constexpr std::string_view place = "{question}";

constexpr std::string_view with_mark =
    "{question}\n\nReason step by step. Write the final answer alone on the last line, behind \"####\".";
constexpr std::string_view with_box =
    "{question}\n\nReason step by step, and put your final answer within \\boxed{}.";
constexpr std::string_view with_whole_number =
    "{question}\n\nReason step by step. The answer is a whole number from 0 to 999; put it within \\boxed{}.";
constexpr std::string_view with_letter =
    "{question}\n\nReason step by step, and end with \"The answer is (X).\", where X is the letter of the "
    "right choice.";
constexpr std::string_view with_yes_or_no =
    "{question}\n\nEnd with \"The answer is yes.\" or \"The answer is no.\"";
constexpr std::string_view with_code =
    "Complete this Python program. Write all of it, what is given here included, in one fenced block of "
    "code.\n\n"
    "```python\n{question}\n```";
constexpr std::string_view with_function =
    "{question}\n\nAnswer with Python code alone, in one fenced block.";

constexpr Preset all[] = {
    {"gsm8k", AnswerKind::any, with_box, with_mark},
    {"svamp", AnswerKind::any, with_box},
    {"asdiv", AnswerKind::any, with_box},
    {"mawps", AnswerKind::any, with_box},
    {"math", AnswerKind::any, with_box},
    {"math500", AnswerKind::any, with_box},
    {"minerva", AnswerKind::any, with_box},
    {"olympiadbench", AnswerKind::any, with_box},
    {"amc23", AnswerKind::any, with_box},
    {"aime24", AnswerKind::any, with_whole_number},
    {"aime25", AnswerKind::any, with_whole_number},
    {"mmlu", AnswerKind::choice, with_letter},
    {"mmlu-pro", AnswerKind::choice, with_letter},
    {"arc", AnswerKind::choice, with_letter},
    {"boolq", AnswerKind::yes_no, with_yes_or_no},
    {"humaneval", AnswerKind::code, with_code},
    {"mbpp", AnswerKind::code, with_function},
};

}  // namespace

std::span<const Preset> presets() {
  return all;
}

const Preset* find_preset(std::string_view name) {
  const auto found = std::ranges::find(all, name, &Preset::name);
  return found == std::end(all) ? nullptr : found;
}

std::string worded(std::string_view wording, const std::string& question) {
  const size_t at = wording.find(place);
  if (at == std::string_view::npos)
    throw InvalidRequest("the wording has no {question}; say where the question is to stand");
  return std::string(wording.substr(0, at)) + question + std::string(wording.substr(at + place.size()));
}

}  // namespace lanerope::eval
