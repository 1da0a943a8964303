// SPDX-License-Identifier: Apache-2.0
#include "answers/math_text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace lanerope::answers {

namespace {

bool is_letter(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0;
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_space(char c) {
  return std::isspace(static_cast<unsigned char>(c)) != 0;
}

struct Replacement {
  std::string_view from;
  std::string_view to;
};

// The longer of two that begin alike stands first. A command that ends in a letter is replaced only where no
// further letter follows.
constexpr std::array replacements = {
    Replacement{"{,}", ","},          Replacement{"\\dfrac", "\\frac"},
    Replacement{"\\tfrac", "\\frac"}, Replacement{"\\cfrac", "\\frac"},
    Replacement{"\\left", ""},        Replacement{"\\right", ""},
    Replacement{"^{\\circ}", ""},     Replacement{"^\\circ", ""},
    Replacement{"\\degree", ""},      Replacement{"\xc2\xb0", ""},
    Replacement{"\\$", ""},           Replacement{"$", ""},
    Replacement{"\\(", ""},           Replacement{"\\)", ""},
    Replacement{"\\%", ""},           Replacement{"%", ""},
    Replacement{"\\!", ""},           Replacement{"\\,", " "},
    Replacement{"\\;", " "},          Replacement{"\\:", " "},
    Replacement{"\\ ", " "},          Replacement{"~", " "},
    Replacement{"\\quad", " "},       Replacement{"\\displaystyle", ""},
    Replacement{"\xc2\xa3", ""},       // pound
    Replacement{"\xc2\xa5", ""},       // yen
    Replacement{"\xe2\x82\xac", ""},   // euro
    Replacement{"\xc2\xa0", " "},      // no-break space
    Replacement{"\xe2\x88\x92", "-"},  // minus
    Replacement{"\xe2\x80\x93", "-"},  // dash
};

const Replacement* replacement_at(std::string_view text) {
  for (const Replacement& candidate : replacements) {
    if (!text.starts_with(candidate.from)) continue;
    const bool word = is_letter(candidate.from.back()) && candidate.to != "\\frac";
    if (word && text.size() > candidate.from.size() && is_letter(text[candidate.from.size()])) continue;
    return &candidate;
  }
  return nullptr;
}

// A backslash that was escaped once too often becomes one again; in a matrix two of them end a row.
std::string with_single_backslashes(std::string_view text) {
  const bool has_rows =
      text.find("\\begin{") != std::string_view::npos && text.find("\\\\begin{") == std::string_view::npos;
  std::string result(text);
  if (has_rows) return result;
  for (size_t at = 0; (at = result.find("\\\\", at)) != std::string::npos; ++at) result.erase(at, 1);
  return result;
}

std::string replaced(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const char c = text.front();
    if (text.starts_with("\\\\")) {
      result += text.substr(0, 2);
      text.remove_prefix(2);
      continue;
    }
    const bool special =
        c == '\\' || c == '{' || c == '^' || c == '$' || c == '%' || c == '~' || (c & 0x80) != 0;
    const Replacement* found = special ? replacement_at(text) : nullptr;
    if (found != nullptr) {
      result += found->to;
      text.remove_prefix(found->from.size());
    } else {
      result += c;
      text.remove_prefix(1);
    }
  }
  return result;
}

// Runs of space become one; none is left at the ends.
std::string single_spaced(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (!is_space(c)) {
      result += c;
    } else if (!result.empty() && result.back() != ' ') {
      result += ' ';
    }
  }
  if (!result.empty() && result.back() == ' ') result.pop_back();
  return result;
}

// Where the brace that opens at `open` is closed; the end of the text if it is not.
size_t closing_brace(std::string_view text, size_t open) {
  int depth = 0;
  for (size_t i = open; i < text.size(); ++i) {
    if (text[i] == '{') ++depth;
    if (text[i] == '}' && --depth == 0) return i;
  }
  return text.size();
}

// \text{...} and its like: what follows a quantity is its unit and stays as a word behind it; a wrapper
// around words goes.
std::string without_wrappers(std::string_view text) {
  constexpr std::array<std::string_view, 8> wrappers = {"\\text{",   "\\textbf{",      "\\textrm{",
                                                        "\\textit{", "\\mathrm{",      "\\mathbf{",
                                                        "\\mbox{",   "\\operatorname{"};
  std::string result;
  size_t at = 0;
  while (at < text.size()) {
    const auto* wrapper = wrappers.end();
    if (text[at] == '\\') {
      wrapper =
          std::ranges::find_if(wrappers, [&](std::string_view w) { return text.substr(at).starts_with(w); });
    }
    if (wrapper == wrappers.end()) {
      result += text[at++];
      continue;
    }
    const size_t open = at + wrapper->size() - 1;
    const size_t close = closing_brace(text, open);
    result += ' ';
    result += text.substr(open + 1, close - open - 1);
    result += ' ';
    at = std::min(close + 1, text.size());
  }
  return result;
}

// ".5" becomes "0.5", "\sqrt3" becomes "\sqrt{3}".
std::string with_missing_parts(std::string_view text) {
  constexpr std::string_view root = "\\sqrt";
  std::string result;
  for (size_t at = 0; at < text.size(); ++at) {
    const char next = at + 1 < text.size() ? text[at + 1] : '\0';
    if (text[at] == '.' && is_digit(next) && (result.empty() || !is_digit(result.back()))) result += '0';
    if (text[at] != '\\' || !text.substr(at).starts_with(root)) {
      result += text[at];
      continue;
    }
    size_t argument = at + root.size();
    result += root;
    while (argument < text.size() && text[argument] == ' ') ++argument;
    const bool bare = argument < text.size() && (is_digit(text[argument]) || is_letter(text[argument])) &&
                      (argument > at + root.size() || is_digit(text[argument]));
    if (bare) {
      result += std::string("{") + text[argument] + "}";
      at = argument;
    } else {
      at = argument - 1;
    }
  }
  return result;
}

std::string_view without_name(std::string_view text) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos || text.find('=', equals + 1) != std::string_view::npos) return text;
  const std::string_view before = text.substr(0, equals);
  const auto letters = std::ranges::count_if(before, [](char c) { return c != ' '; });
  if (letters > 2 || letters == 0) return text;
  text.remove_prefix(equals + 1);
  while (text.starts_with(' ')) text.remove_prefix(1);
  return text;
}

bool is_integer(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && text.size() < 19 && std::ranges::all_of(text, is_digit);
}

// \frac12 and \frac1{72} get their braces.
std::string with_fraction_braces(std::string_view text) {
  constexpr std::string_view fraction = "\\frac";
  std::string result;
  size_t at = 0;
  while (at < text.size()) {
    if (!text.substr(at).starts_with(fraction)) {
      result += text[at++];
      continue;
    }
    result += fraction;
    at += fraction.size();
    for (int argument = 0; argument < 2 && at < text.size(); ++argument) {
      if (text[at] == '{') {
        // The second argument is left to the loop above, with the fractions in it.
        const size_t close = std::min(closing_brace(text, at), text.size() - 1);
        if (argument == 1) break;
        result += "{" + with_fraction_braces(text.substr(at + 1, close - at - 1)) + text[close];
        at = close + 1;
      } else if (is_digit(text[at]) || is_letter(text[at])) {
        result += std::string("{") + text[at++] + "}";
      }
    }
  }
  return result;
}

}  // namespace

std::string clean_math(std::string_view text) {
  std::string clean = single_spaced(without_wrappers(replaced(with_single_backslashes(text))));
  while (!clean.empty() && (clean.back() == '.' || clean.back() == '/' || clean.back() == ' '))
    clean.pop_back();
  clean = with_missing_parts(clean);
  return std::string(without_name(clean));
}

std::string normalise_math(std::string_view text) {
  std::string result = clean_math(text);
  std::erase(result, ' ');
  result = with_fraction_braces(result);
  if (result == "0.5") return "\\frac{1}{2}";
  const size_t slash = result.find('/');
  if (slash != std::string::npos) {
    const std::string_view top = std::string_view(result).substr(0, slash);
    const std::string_view bottom = std::string_view(result).substr(slash + 1);
    if (is_integer(top) && is_integer(bottom))
      return "\\frac{" + std::string(top) + "}{" + std::string(bottom) + "}";
  }
  return result;
}

bool is_percentage(std::string_view text) {
  while (!text.empty() && (is_space(text.back()) || text.back() == '.' || text.back() == '$'))
    text.remove_suffix(1);
  return text.ends_with('%') || text.ends_with("percent") || text.ends_with("per cent");
}

}  // namespace lanerope::answers
