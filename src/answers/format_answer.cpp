// SPDX-License-Identifier: Apache-2.0
#include "answers/format_answer.h"

#include <nlohmann/json.hpp>

namespace lanerope::answers {

std::optional<Answer> json_answer(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return std::nullopt;
  for (const char* member : {"answer", "final_answer", "result"}) {
    if (!json.is_object() || !json.contains(member)) continue;
    const nlohmann::json& value = json.at(member);
    return Answer{.text = value.is_string() ? value.get<std::string>() : value.dump(),
                  .from = AnswerFrom::mark};
  }
  return Answer{.text = json.dump(), .from = AnswerFrom::format};
}

std::optional<Answer> whole_answer(std::string_view text) {
  constexpr std::string_view space = " \t\r\n";
  const size_t begin = text.find_first_not_of(space);
  if (begin == std::string_view::npos) return std::nullopt;
  text = text.substr(begin, text.find_last_not_of(space) + 1 - begin);
  return Answer{.text = std::string(text), .from = AnswerFrom::format};
}

}  // namespace lanerope::answers
