// SPDX-License-Identifier: Apache-2.0
#include "answers/choices.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

#include "answers/spelling.h"

namespace lanerope::answers {

namespace {

constexpr size_t longest = 400;

bool is_choice_letter(char c) {
  return c >= 'A' && c <= 'J';
}

// "\text{(B)} 9" as "(B) 9".
std::string without_wrappers(std::string_view spelled) {
  constexpr std::string_view wrapper = "\\text{";
  std::string result;
  std::vector<bool> is_wrapper;
  for (size_t at = 0; at < spelled.size(); ++at) {
    const bool opens = spelled.substr(at).starts_with(wrapper);
    if (opens) at += wrapper.size() - 1;
    if (spelled[at] == '{') is_wrapper.push_back(opens);
    const bool closes = spelled[at] == '}' && !is_wrapper.empty();
    const bool dropped = opens || (closes && is_wrapper.back());
    if (closes) is_wrapper.pop_back();
    if (!dropped) result += spelled[at];
  }
  return result;
}

std::string_view trimmed(std::string_view text) {
  const auto around = [](char c) { return c == ' ' || c == '\n'; };
  while (!text.empty() && around(text.front())) text.remove_prefix(1);
  while (!text.empty() && (around(text.back()) || text.back() == '.')) text.remove_suffix(1);
  const bool braces = text.size() >= 2 && text.front() == '{' && text.find('}') == text.size() - 1;
  return braces ? text.substr(1, text.size() - 2) : text;
}

std::string_view without_introduction(std::string_view text) {
  constexpr std::array<std::string_view, 8> words = {"Option", "option", "Choice", "choice",
                                                     "选项",   "故选",   "选",     "answer"};
  for (const std::string_view word : words) {
    if (!text.starts_with(word)) continue;
    text.remove_prefix(word.size());
    while (text.starts_with(' ') || text.starts_with(':')) text.remove_prefix(1);
    break;
  }
  return text;
}

// Letters with nothing but commas, "and" and brackets between: "A, C and D", "ACD".
std::optional<Choice> several(std::string_view text) {
  Choice choice;
  bool separated = true;
  while (!text.empty()) {
    if (is_choice_letter(text.front())) {
      if (choice.letters.find(text.front()) != std::string::npos) return std::nullopt;
      choice.letters += text.front();
      text.remove_prefix(1);
      separated = false;
      continue;
    }
    size_t length = 0;
    for (const std::string_view between : {"and", ",", " ", "(", ")", ";", "{", "}", "&"}) {
      if (text.starts_with(between)) length = between.size();
    }
    if (length == 0) return std::nullopt;
    choice.marked = choice.marked || text.front() == '(' || text.front() == ',';
    text.remove_prefix(length);
    separated = true;
  }
  if (choice.letters.empty()) return std::nullopt;
  // "BAD" is a word or a product; letters that nothing separates stand in order.
  const bool in_order = std::ranges::is_sorted(choice.letters);
  if (!separated && !choice.marked && !in_order) return std::nullopt;
  std::ranges::sort(choice.letters);
  return choice;
}

}  // namespace

std::optional<Choice> choice_of(std::string_view text) {
  if (text.size() > longest) return std::nullopt;
  const std::string bare = without_wrappers(spelled(text));
  const std::string_view trimmed_text = trimmed(without_introduction(trimmed(bare)));
  if (trimmed_text.empty()) return std::nullopt;
  if (auto letters = several(trimmed_text)) return letters;

  std::string_view rest = trimmed_text;
  const bool bracket = rest.starts_with('(');
  if (bracket) rest.remove_prefix(1);
  if (rest.empty()) return std::nullopt;
  const char letter =
      bracket ? static_cast<char>(std::toupper(static_cast<unsigned char>(rest.front()))) : rest.front();
  if (!is_choice_letter(letter)) return std::nullopt;
  rest.remove_prefix(1);
  const bool closed = rest.starts_with(')') || (!bracket && (rest.starts_with('.') || rest.starts_with(':')));
  if (!closed) return std::nullopt;
  rest.remove_prefix(1);
  // "f(A) = 3" begins otherwise, "(a)(b)" is a product.
  const bool spaced = rest.empty() || rest.front() == ' ' || rest.front() == '}' || rest.front() == '\\';
  if (!spaced) return std::nullopt;
  return Choice{.letters = std::string(1, letter), .content = std::string(trimmed(rest)), .marked = true};
}

}  // namespace lanerope::answers
