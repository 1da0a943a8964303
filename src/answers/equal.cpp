// SPDX-License-Identifier: Apache-2.0
#include "answers/equal.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <string>
#include <vector>

#include "answers/math_text.h"
#include "answers/number.h"

namespace lanerope::answers {

namespace {

constexpr int most_nesting = 4;
constexpr size_t longest_answer = 4096;  // bytes; a longer one is compared as it is

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// The last word of a unit, without an "s" behind it: "duck eggs" and "eggs" agree.
std::string_view head_of_unit(std::string_view unit) {
  while (unit.ends_with('.') || unit.ends_with(' ')) unit.remove_suffix(1);
  const size_t space = unit.rfind(' ');
  if (space != std::string_view::npos) unit.remove_prefix(space + 1);
  if (unit.size() > 3 && unit.ends_with('s')) unit.remove_suffix(1);
  return unit;
}

bool units_agree(const NumberValue& a, const NumberValue& b) {
  return a.unit.empty() || b.unit.empty() || head_of_unit(a.unit) == head_of_unit(b.unit);
}

std::string without_percent_word(std::string text) {
  for (const std::string_view word : {"percent", "per cent"}) {
    if (text.ends_with(word)) text.resize(text.size() - word.size());
  }
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

struct Side {
  std::string clean;
  std::optional<NumberValue> value;
  bool percent;
};

Side side_of(std::string_view text) {
  Side side{.clean = without_percent_word(clean_math(text)), .value = {}, .percent = is_percentage(text)};
  side.value = number_value(side.clean);
  return side;
}

// A whole number without its commas and leading zeros; empty for anything else.
std::string whole_digits(std::string_view clean) {
  std::string digits;
  if (clean.starts_with('-')) return "-" + whole_digits(clean.substr(1));
  for (const char c : clean) {
    if (is_digit(c) && (c != '0' || !digits.empty())) digits += c;
    if (!is_digit(c) && c != ',') return {};
  }
  return digits;
}

bool numbers_equal(const Side& a, const Side& b) {
  // Whole numbers that are too large to be exact.
  if (!a.value->exact && !b.value->exact) {
    const std::string digits = whole_digits(a.clean);
    if (!digits.empty() && !whole_digits(b.clean).empty()) return digits == whole_digits(b.clean);
  }
  if (!units_agree(*a.value, *b.value)) return false;
  if (values_equal(*a.value, *b.value)) return true;
  if (a.percent == b.percent) return false;
  return a.percent ? values_equal(hundredth(*a.value), *b.value)
                   : values_equal(*a.value, hundredth(*b.value));
}

// A list of answers: a tuple, an interval, a set, or bare with commas between.
struct AnswerList {
  char open = ' ';
  char close = ' ';
  std::vector<std::string> items;
};

enum class Commas { thousands, separators };

bool separates_thousands(std::string_view text, size_t at) {
  const auto digit = [&](size_t i) { return i < text.size() && is_digit(text[i]); };
  return at > 0 && digit(at - 1) && digit(at + 1) && digit(at + 2) && digit(at + 3) && !digit(at + 4);
}

std::optional<AnswerList> list_of(std::string text, Commas commas) {
  AnswerList list;
  for (const std::string_view brace : {"\\{", "\\}"}) {
    for (size_t at = 0; (at = text.find(brace, at)) != std::string::npos;) text.erase(at, 1);
  }
  std::string_view inner = text;
  const auto opens = [](char c) { return c == '(' || c == '[' || c == '{'; };
  const auto closes = [](char c) { return c == ')' || c == ']' || c == '}'; };
  if (inner.size() >= 2 && opens(inner.front()) && closes(inner.back())) {
    list.open = inner.front();
    list.close = inner.back();
    inner = inner.substr(1, inner.size() - 2);
  }
  int depth = 0;
  std::string item;
  const auto finish_item = [&] {
    list.items.push_back(item);
    item.clear();
  };
  for (size_t i = 0; i < inner.size(); ++i) {
    if (opens(inner[i])) ++depth;
    if (closes(inner[i]) && --depth < 0) return std::nullopt;
    const bool ends_item =
        inner[i] == ',' && depth == 0 && !(commas == Commas::thousands && separates_thousands(inner, i));
    if (ends_item) {
      finish_item();
    } else {
      item += inner[i];
    }
  }
  finish_item();
  if (depth != 0 || (list.items.size() < 2 && list.open == ' ')) return std::nullopt;
  return list;
}

bool same_answer(std::string_view given, std::string_view truth, int nesting);

bool items_equal(const AnswerList& a, const AnswerList& b, int nesting) {
  if (a.open != b.open || a.close != b.close || a.items.size() != b.items.size()) return false;
  if (a.open != '{') {
    return std::ranges::equal(a.items, b.items, [&](const std::string& x, const std::string& y) {
      return same_answer(x, y, nesting + 1);
    });
  }
  std::vector<std::string> left = b.items;
  return std::ranges::all_of(a.items, [&](const std::string& item) {
    const auto found = std::ranges::find_if(
        left, [&](const std::string& other) { return same_answer(item, other, nesting + 1); });
    if (found == left.end()) return false;
    left.erase(found);
    return true;
  });
}

bool lists_equal(const Side& a, const Side& b, int nesting) {
  if (nesting >= most_nesting) return false;
  for (const Commas of_a : {Commas::thousands, Commas::separators}) {
    const auto list_a = list_of(a.clean, of_a);
    if (!list_a) continue;
    for (const Commas of_b : {Commas::thousands, Commas::separators}) {
      const auto list_b = list_of(b.clean, of_b);
      if (list_b && items_equal(*list_a, *list_b, nesting)) return true;
    }
  }
  return false;
}

// Words are compared without their case, and a choice such as "(B)" without its brackets.
std::string folded_words(std::string_view normal) {
  if (normal.size() == 3 && normal.front() == '(' && normal.back() == ')') normal = normal.substr(1, 1);
  const auto is_letter = [](char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; };
  std::string text(normal);
  if (std::ranges::all_of(text, is_letter) && text.size() > 1) {
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return text;
}

bool same_answer(std::string_view given, std::string_view truth, int nesting) {
  if (given == truth) return true;
  if (given.size() > longest_answer || truth.size() > longest_answer) return false;
  const Side a = side_of(given);
  const Side b = side_of(truth);
  if (a.clean.empty() || b.clean.empty()) return a.clean == b.clean;
  if (a.value && b.value) {
    if (numbers_equal(a, b)) return true;
  } else if (folded_words(normalise_math(a.clean)) == folded_words(normalise_math(b.clean))) {
    return true;
  }
  return lists_equal(a, b, nesting);
}

}  // namespace

bool answers_equal(std::string_view given, std::string_view truth) {
  return same_answer(given, truth, 0);
}

}  // namespace lanerope::answers
