// SPDX-License-Identifier: Apache-2.0
#include "answers/kinds.h"

#include <algorithm>

namespace lanerope {

template <>
std::span<const Named<answers::AnswerKind>> names() {
  static constexpr Named<answers::AnswerKind> all[] = {
      {answers::AnswerKind::any, "any"},       {answers::AnswerKind::choice, "choice"},
      {answers::AnswerKind::yes_no, "yes-no"}, {answers::AnswerKind::exact, "exact"},
      {answers::AnswerKind::code, "code"},
  };
  return all;
}

}  // namespace lanerope

namespace lanerope::answers {

namespace {

constexpr std::string_view fence = "```";

// The code between the last pair of fences; an open one counts to the end of the text.
std::optional<std::string> last_block(std::string_view text) {
  std::optional<std::string> block;
  size_t at = text.find(fence);
  while (at != std::string_view::npos) {
    size_t begin = text.find('\n', at);
    if (begin == std::string_view::npos) break;
    ++begin;
    const size_t end = std::min(text.find(fence, begin), text.size());
    block = std::string(text.substr(begin, end - begin));
    at = end + fence.size() <= text.size() ? text.find(fence, end + fence.size()) : std::string_view::npos;
  }
  return block;
}

std::string_view last_line(std::string_view text) {
  const size_t end = text.find_last_not_of(" \t\r\n");
  if (end == std::string_view::npos) return {};
  text = text.substr(0, end + 1);
  const size_t line_break = text.rfind('\n');
  return line_break == std::string_view::npos ? text : text.substr(line_break + 1);
}

std::optional<Answer> code_answer(std::string_view text, bool ended) {
  if (!ended) return std::nullopt;
  if (auto block = last_block(text)) return Answer{.text = std::move(*block), .from = AnswerFrom::mark};
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return std::nullopt;
  return Answer{.text = std::string(text), .from = AnswerFrom::last_expression};
}

std::optional<Answer> exact_answer(std::string_view text, bool ended) {
  if (auto settled = find_settled_answer(text)) return settled;
  if (!ended) return std::nullopt;
  auto found = find_answer(text);
  if (found && found->from != AnswerFrom::last_expression) return found;
  std::string line = normalise_answer(last_line(text));
  if (line.empty()) return std::nullopt;
  return Answer{.text = std::move(line), .from = AnswerFrom::last_expression};
}

}  // namespace

std::optional<Answer> lane_answer_of(std::string_view text, bool ended, AnswerKind kind) {
  if (kind == AnswerKind::code) return code_answer(text, ended);
  if (kind == AnswerKind::exact) return exact_answer(text, ended);
  return lane_answer(text, ended);
}

}  // namespace lanerope::answers
