// SPDX-License-Identifier: Apache-2.0
#include "answers/extract.h"

#include <algorithm>
#include <cctype>

namespace lanerope::answers {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string_view trimmed(std::string_view text) {
  const auto is_space = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

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

// Where the content of the brace that opens before `begin` ends; npos if it is not closed.
size_t content_end(std::string_view text, size_t begin) {
  int depth = 1;
  for (size_t i = begin; i < text.size(); ++i) {
    if (text[i] == '{') ++depth;
    if (text[i] == '}' && --depth == 0) return i;
  }
  return std::string_view::npos;
}

// The content of the last \boxed{...} or \fbox{...} whose brace is closed. "\boxed 5" counts up to the next
// space or "$", once that is there.
std::optional<std::string_view> last_boxed(std::string_view text) {
  constexpr std::string_view word = "box";
  for (size_t at = text.rfind(word); at != std::string_view::npos;
       at = at > 0 ? text.rfind(word, at - 1) : std::string_view::npos) {
    const bool boxed = text.substr(0, at).ends_with('\\') && text.substr(at).starts_with("boxed");
    if (!boxed && !text.substr(0, at).ends_with("\\f")) continue;
    size_t begin = at + (boxed ? 5 : word.size());
    const bool spaced = begin < text.size() && text[begin] == ' ';
    begin = std::min(text.find_first_not_of(' ', begin), text.size());
    const bool braced = begin < text.size() && text[begin] == '{';
    if (!braced && !spaced) continue;
    if (braced) ++begin;
    const size_t end = braced ? content_end(text, begin) : text.find_first_of(" $\n", begin);
    if (end != std::string_view::npos) return text.substr(begin, end - begin);
  }
  return std::nullopt;
}

struct Marked {
  std::string_view answer;
  bool line_ended;
};

std::optional<Marked> last_marked(std::string_view text) {
  constexpr std::string_view mark = "####";
  const size_t at = text.rfind(mark);
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view rest = text.substr(at + mark.size());
  const size_t line_end = rest.find('\n');
  const std::string_view answer = trimmed(rest.substr(0, line_end));
  if (answer.empty()) return std::nullopt;
  return Marked{.answer = answer, .line_ended = line_end != std::string_view::npos};
}

std::optional<std::string_view> last_number(std::string_view text) {
  size_t end = text.size();
  while (end > 0 && !is_digit(text[end - 1])) --end;
  if (end == 0) return std::nullopt;
  size_t begin = end;
  while (begin > 0 && (is_digit(text[begin - 1]) || text[begin - 1] == '.' || text[begin - 1] == ','))
    --begin;
  while (text[begin] == ',' || (text[begin] == '.' && !is_digit(text[begin + 1]))) ++begin;
  // "10-12" is a range, not a negative number.
  if (begin > 0 && text[begin - 1] == '-' && (begin < 2 || !is_digit(text[begin - 2]))) --begin;
  return text.substr(begin, end - begin);
}

}  // namespace

std::string normalise_answer(std::string_view answer) {
  std::string text(trimmed(answer));
  std::erase(text, '$');
  while (!text.empty() && (text.back() == '.' || text.back() == '/')) text.pop_back();
  // A comma between digits separates thousands only where three digits follow it.
  for (size_t i = 1; i + 3 < text.size(); ++i) {
    const bool thousands = text[i] == ',' && is_digit(text[i - 1]) && is_digit(text[i + 1]) &&
                           is_digit(text[i + 2]) && is_digit(text[i + 3]) &&
                           (i + 4 == text.size() || !is_digit(text[i + 4]));
    if (thousands) text.erase(i, 1);
  }
  text = trimmed(text);
  return is_number(text) ? canonical_number(text) : text;
}

std::optional<std::string> extract_answer(std::string_view text) {
  if (const auto boxed = last_boxed(text)) return normalise_answer(*boxed);
  if (const auto marked = last_marked(text)) return normalise_answer(marked->answer);
  if (const auto number = last_number(text)) return normalise_answer(*number);
  return std::nullopt;
}

std::optional<std::string> extract_settled_answer(std::string_view text) {
  if (const auto boxed = last_boxed(text)) return normalise_answer(*boxed);
  const auto marked = last_marked(text);
  if (marked && marked->line_ended) return normalise_answer(marked->answer);
  return std::nullopt;
}

}  // namespace lanerope::answers
