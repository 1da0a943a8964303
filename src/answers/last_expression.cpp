// SPDX-License-Identifier: Apache-2.0
#include "answers/last_expression.h"

#include <algorithm>

#include "answers/characters.h"
#include "answers/choices.h"
#include "answers/code.h"
#include "answers/reading.h"
#include "answers/words.h"

namespace lanerope::answers {

namespace {

std::string_view without_full_stop(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && (is_space(text.back()) || text.back() == '.')) text.remove_suffix(1);
  return text;
}

struct Stretch {
  size_t begin;
  size_t end;
};

// Digits with their commas, point and sign; "10-12" is a range, "x1" a name.
std::optional<Stretch> number_before(std::string_view text, size_t end) {
  while (end > 0) {
    while (end > 0 && !is_digit(text[end - 1])) --end;
    if (end == 0) return std::nullopt;
    size_t begin = end;
    while (begin > 0 && (is_digit(text[begin - 1]) || text[begin - 1] == '.' || text[begin - 1] == ','))
      --begin;
    while (text[begin] == ',' || (text[begin] == '.' && !is_digit(text[begin + 1]))) ++begin;
    const bool in_name = begin > 0 && (is_letter(text[begin - 1]) || text[begin - 1] == '_');
    const bool in_command = in_name && text.substr(0, begin).rfind('\\') != std::string_view::npos &&
                            begin - text.substr(0, begin).rfind('\\') < 12;
    if (in_name && !in_command) {
      end = begin;
      continue;
    }
    if (begin > 0 && text[begin - 1] == '-' &&
        (begin < 2 || (!is_digit(text[begin - 2]) && !is_letter(text[begin - 2]))))
      --begin;
    return Stretch{.begin = begin, .end = end};
  }
  return std::nullopt;
}

struct Span {
  std::string_view content;
  size_t end;
};

// The last stretch between dollar signs, "\(" and "\)", or "\[" and "\]" that holds something definite.
std::optional<Span> last_span(std::string_view text) {
  std::optional<Span> last;
  for (size_t at = 0; at < text.size(); ++at) {
    std::string_view close;
    size_t open = 0;
    if (text[at] == '\\') {
      const std::string_view rest = text.substr(at);
      if (rest.starts_with("\\(")) close = "\\)";
      if (rest.starts_with("\\[")) close = "\\]";
      open = 2;
      if (close.empty()) {
        ++at;
        continue;
      }
    } else if (text[at] == '$') {
      close = text.substr(at).starts_with("$$") ? "$$" : "$";
      open = close.size();
    } else {
      continue;
    }
    constexpr size_t longest = 1000;
    const std::string_view rest = text.substr(at + open, longest);
    const size_t end = rest.find(close);
    if (end == std::string_view::npos) continue;
    const std::string_view content = rest.substr(0, end);
    if (is_definite(content)) last = Span{.content = content, .end = at + open + end + close.size()};
    // "$5 and $6": what follows the first sign is no mathematics, so the second may open.
    if (close != "$" || is_definite(content)) at += open + end + close.size() - 1;
  }
  return last;
}

// The word of its line that a number is in; spaces in braces part nothing: "\frac{3}{4}", "1/2", "2^{64}".
std::string_view word_around(std::string_view text, Stretch number) {
  const size_t newline = number.begin == 0 ? std::string_view::npos : text.rfind('\n', number.begin - 1);
  size_t begin = newline == std::string_view::npos ? 0 : newline + 1;
  int depth = 0;
  size_t end = begin;
  for (; end < text.size() && text[end] != '\n'; ++end) {
    if (text[end] == '{') ++depth;
    if (text[end] == '}') --depth;
    if (!is_space(text[end]) || depth > 0) continue;
    if (end > number.begin) break;
    begin = end + 1;
  }
  return text.substr(begin, end - begin);
}

std::string_view behind_equals(std::string_view text) {
  const size_t equals = text.rfind('=');
  const bool relation = equals != std::string_view::npos && equals > 0 &&
                        (text[equals - 1] == '<' || text[equals - 1] == '>' || text[equals - 1] == '!');
  if (equals == std::string_view::npos || relation) return text;
  const std::string_view behind = text.substr(equals + 1);
  // "x = 9, y = 11" is one answer.
  if (text.substr(0, equals).find(',') != std::string_view::npos) return text;
  return is_definite(behind) ? without_full_stop(behind) : text;
}

}  // namespace

std::optional<std::string> last_number(std::string_view text) {
  const auto number = number_before(text, text.size());
  const auto span = last_span(text);
  if (span && (!number || number->begin < span->end)) return std::string(behind_equals(span->content));
  if (!number) return std::nullopt;
  std::string_view around = word_around(text, *number);
  while (!around.empty() && std::string_view(".,;:?*").find(around.back()) != std::string_view::npos)
    around.remove_suffix(1);
  while (!around.empty() && std::string_view("*:;,").find(around.front()) != std::string_view::npos)
    around.remove_prefix(1);
  const bool more_than_digits = around.find_first_of("\\^/!%+:") != std::string_view::npos;
  if (more_than_digits && is_definite(around)) return std::string(behind_equals(around));
  return std::string(text.substr(number->begin, number->end - number->begin));
}

std::optional<std::string> last_expression(std::string_view text) {
  constexpr size_t longest_whole = 120;
  constexpr size_t longest_text = 16 * 1024;
  if (text.size() > longest_text) text.remove_prefix(text.size() - longest_text);
  text = without_full_stop(text);
  if (text.empty()) return std::nullopt;
  const size_t paragraph = text.rfind("\n\n");
  for (const std::string_view part :
       {text, paragraph == std::string_view::npos ? text : text.substr(paragraph)}) {
    if (auto says = yes_or_no(part)) return says;
  }
  const std::string prose = without_code(text);
  const std::string_view whole = without_full_stop(prose);
  if (whole.size() <= longest_whole && whole.find('\n') == std::string_view::npos) {
    const auto choice = choice_of(whole);
    if (choice && (choice->marked || choice->letters.size() == 1)) return std::string(whole);
    if (is_definite(whole)) return std::string(behind_equals(whole));
  }
  return last_number(prose);
}

}  // namespace lanerope::answers
