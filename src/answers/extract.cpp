// SPDX-License-Identifier: Apache-2.0
#include "answers/extract.h"

#include <algorithm>
#include <array>

#include "answers/boxes.h"
#include "answers/characters.h"
#include "answers/frames.h"
#include "answers/last_expression.h"
#include "answers/spelling.h"

namespace lanerope::answers {

namespace {

constexpr size_t longest_text = 256 * 1024;  // an answer stands in the last so many bytes

bool is_number(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  const size_t point = std::min(text.find('.'), text.size());
  const std::string_view whole = text.substr(0, point);
  const std::string_view part = point < text.size() ? text.substr(point + 1) : std::string_view();
  return !(whole.empty() && part.empty()) && std::ranges::all_of(whole, is_digit) &&
         std::ranges::all_of(part, is_digit);
}

std::string canonical_number(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  std::string number(text);
  if (number.find('.') != std::string::npos) {
    number.erase(number.find_last_not_of('0') + 1);
    if (number.back() == '.') number.pop_back();
  }
  number.erase(0, std::min(number.find_first_not_of('0'), number.size()));
  if (number.empty() || number.front() == '.') number.insert(0, "0");
  return negative && number != "0" ? "-" + number : number;
}

// A comma between digits separates thousands only where three digits follow it, up to the next comma or the
// end.
std::string without_thousands(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (!is_thousands_comma(text, i)) result += text[i];
  }
  return result;
}

std::string_view without_pair(std::string_view text, std::string_view open, std::string_view close) {
  const bool around = text.size() >= open.size() + close.size() && text.starts_with(open) &&
                      text.ends_with(close) && text.find(open, open.size()) >= text.size() - close.size();
  return around ? trimmed(text.substr(open.size(), text.size() - open.size() - close.size())) : text;
}

std::optional<Answer> answer(std::string_view text, AnswerFrom from) {
  std::string normal = normalise_answer(text);
  if (normal.empty()) return std::nullopt;
  return Answer{.text = std::move(normal), .from = from};
}

struct Replacement {
  std::string_view from;
  std::string_view to;
};

// A text without tags, with the marks of Chinese sentences as English ones, and no more of it than is looked
// at.
std::string prepared(std::string_view text) {
  constexpr std::array replacements = {Replacement{"<answer>", "\nAnswer: "}, Replacement{"</answer>", "\n"},
                                       Replacement{"。", ". "}, Replacement{"．", "."},
                                       Replacement{"：", ":"}};
  if (text.size() > longest_text) text.remove_prefix(text.size() - longest_text);
  std::string result;
  result.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const bool special = text[at] == '<' || (text[at] & 0x80) != 0;
    const auto* found = replacements.end();
    if (special) {
      found = std::ranges::find_if(replacements, [&](const Replacement& candidate) {
        return text.substr(at).starts_with(candidate.from);
      });
    }
    result += found != replacements.end() ? found->to : text.substr(at, 1);
    at += found != replacements.end() ? found->from.size() : 1;
  }
  return without_tags(result);
}

}  // namespace

std::string normalise_answer(std::string_view answer) {
  std::string_view text = trimmed(answer);
  for (size_t before = 0; before != text.size();) {
    before = text.size();
    while (!text.empty() && (text.back() == '.' || text.back() == '/')) text.remove_suffix(1);
    text = without_pair(text, "**", "**");
    text = without_pair(text, "$$", "$$");
    text = without_pair(text, "$", "$");
    text = without_pair(text, "\\(", "\\)");
    text = without_pair(text, "\\[", "\\]");
    text = trimmed(text);
  }
  // "$7", not "\$7".
  std::string_view amount = text;
  while (amount.starts_with('$')) amount.remove_prefix(1);
  const std::string number = without_thousands(trimmed(amount));
  if (is_number(number)) return canonical_number(number);
  return std::string(amount.empty() ? amount : text);
}

std::optional<Answer> find_answer(std::string_view text) {
  const std::string bare = prepared(text);
  if (const auto last = last_line_mark(bare)) return answer(last->answer, AnswerFrom::mark);
  if (const auto boxed = boxed_answer(bare)) {
    if (auto found = answer(*boxed, AnswerFrom::box)) return found;
  }
  if (const auto marked = marked_answer(bare)) {
    if (auto found = answer(marked->answer, AnswerFrom::mark)) return found;
  }
  if (const auto framed = framed_answer(bare)) {
    if (auto found = answer(framed->answer, AnswerFrom::frame)) return found;
  }
  const auto last = last_expression(bare);
  return last ? answer(*last, AnswerFrom::last_expression) : std::nullopt;
}

std::optional<Answer> find_settled_answer(std::string_view text) {
  const std::string bare = prepared(text);
  if (const auto last = last_line_mark(bare); last && last->complete)
    return answer(last->answer, AnswerFrom::mark);
  if (const auto boxed = boxed_answer(bare)) {
    if (auto found = answer(*boxed, AnswerFrom::box)) return found;
  }
  const auto marked = marked_answer(bare);
  if (marked && marked->complete) return answer(marked->answer, AnswerFrom::mark);
  const auto framed = framed_answer(bare);
  if (framed && framed->complete) return answer(framed->answer, AnswerFrom::frame);
  return std::nullopt;
}

std::optional<std::string> extract_answer(std::string_view text) {
  auto found = find_answer(text);
  return found ? std::optional(std::move(found->text)) : std::nullopt;
}

std::optional<std::string> extract_settled_answer(std::string_view text) {
  auto found = find_settled_answer(text);
  return found ? std::optional(std::move(found->text)) : std::nullopt;
}

std::optional<Answer> lane_answer(std::string_view text, bool ended) {
  return ended ? find_answer(text) : find_settled_answer(text);
}

}  // namespace lanerope::answers
