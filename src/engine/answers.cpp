// SPDX-License-Identifier: Apache-2.0
#include "lanerope/answers.h"

#include "answers/elements.h"
#include "answers/equal.h"
#include "answers/extract.h"

namespace lanerope {

std::optional<FoundAnswer> find_answer(std::string_view text, bool ended) {
  std::optional<answers::Answer> found = answers::lane_answer(text, ended);
  if (!found) return std::nullopt;
  return FoundAnswer{.text = std::move(found->text), .from = found->from};
}

bool same_answer(std::string_view given, std::string_view truth) {
  return answers::answers_equal(given, truth);
}

std::vector<std::string> listed_answers(std::string_view answer, size_t count) {
  return answers::list_elements(answer, count);
}

}  // namespace lanerope
