// SPDX-License-Identifier: Apache-2.0
#include "answers/words.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace lanerope::answers {

namespace {

bool is_word_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || (c & 0x80) != 0;
}

std::string without_wrappers(std::string_view text) {
  constexpr std::string_view wrapper = "\\text";
  std::string result;
  for (size_t at = 0; at < text.size();) {
    if (text.substr(at).starts_with(wrapper)) {
      at += wrapper.size();
      result += ' ';
    } else {
      const bool dropped = text[at] == '{' || text[at] == '}' || text[at] == '\\';
      if (!dropped) result += text[at];
      ++at;
    }
  }
  return result;
}

std::string folded_word(std::string_view word) {
  std::string result(word);
  // "x" and "X" are two, "Monday" and "monday" one.
  if (word.size() < 3 && word != "no" && word != "No" && word != "NO") return result;
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

}  // namespace

std::string folded_words(std::string_view spelled) {
  constexpr std::array<std::string_view, 5> articles = {"a", "an", "the", "The", "An"};
  constexpr std::string_view punctuation = ".,;:!?'\"";
  const std::string text = without_wrappers(spelled);
  std::string result;
  bool behind_word = false;
  for (size_t at = 0; at < text.size();) {
    if (is_word_character(text[at])) {
      const size_t begin = at;
      while (at < text.size() && is_word_character(text[at])) ++at;
      const std::string_view word = std::string_view(text).substr(begin, at - begin);
      const bool leads = result.empty() && at < text.size() && text[at] == ' ';
      if (leads && std::ranges::find(articles, word) != articles.end()) continue;
      // A space counts only between words: "3 4" is not "34".
      if (behind_word) result += ' ';
      result += folded_word(word);
      behind_word = true;
      continue;
    }
    const char c = text[at++];
    const bool between_digits =
        c == '.' && at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) != 0;
    if (c == ' ' || (punctuation.find(c) != std::string_view::npos && !between_digits)) continue;
    result += c;
    behind_word = false;
  }
  return result;
}

std::optional<std::string> yes_or_no(std::string_view text) {
  struct Spelling {
    std::string_view word;
    std::string_view means;
  };
  constexpr std::array words = {Spelling{"yes", "Yes"},     Spelling{"no", "No"},    Spelling{"true", "True"},
                                Spelling{"false", "False"}, Spelling{"是的", "Yes"}, Spelling{"是", "Yes"},
                                Spelling{"不是", "No"},     Spelling{"否", "No"},    Spelling{"正确", "True"},
                                Spelling{"错误", "False"}};
  constexpr std::array<std::string_view, 15> ends = {".", ",", ";", ":",  "!",  "\n", "}", ")",
                                                     "(", "-", "—", "。", "，", "；", "（"};
  while (!text.empty() && !is_word_character(text.front())) {
    if (text.starts_with("\\text")) text.remove_prefix(std::min(text.find('{'), text.size() - 1));
    text.remove_prefix(1);
  }
  for (const auto& [word, means] : words) {
    const bool begins =
        text.size() >= word.size() &&
        std::ranges::equal(text.substr(0, word.size()), word, [](char a, char b) {
          return std::tolower(static_cast<unsigned char>(a)) == static_cast<unsigned char>(b) || a == b;
        });
    if (!begins) continue;
    std::string_view rest = text.substr(word.size());
    while (rest.starts_with(' ') || rest.starts_with('*')) rest.remove_prefix(1);
    const bool ended = rest.empty() ||
                       std::ranges::any_of(ends, [&](std::string_view end) { return rest.starts_with(end); });
    if (ended) return std::string(means);
  }
  return std::nullopt;
}

}  // namespace lanerope::answers
