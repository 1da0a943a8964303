// SPDX-License-Identifier: Apache-2.0
#include "answers/code.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "answers/reading.h"

namespace lanerope::answers {

namespace {

bool is_name_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

std::string without_fences(std::string_view text) {
  constexpr std::string_view fence = "```";
  std::string result;
  while (!text.empty()) {
    const size_t open = std::min(text.find(fence), text.size());
    result += text.substr(0, open);
    if (open == text.size()) break;
    text.remove_prefix(open + fence.size());
    const size_t close = text.find(fence);
    text.remove_prefix(close == std::string_view::npos ? text.size() : close + fence.size());
    result += '\n';
  }
  return result;
}

std::string without_inline_code(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const size_t open = std::min(text.find('`'), text.size());
    result += text.substr(0, open);
    if (open == text.size()) break;
    text.remove_prefix(open + 1);
    const size_t close = text.find_first_of("`\n");
    if (close == std::string_view::npos || text[close] == '\n') continue;
    const std::string_view content = text.substr(0, close);
    if (is_definite(content)) result += content;
    text.remove_prefix(close + 1);
  }
  return result;
}

bool is_statement(std::string_view line) {
  constexpr std::array<std::string_view, 20> beginnings = {
      "def ",  "class ",  "import ", "from ",  "return ", "print(", "#include",
      "for (", "while (", "if (",    "let ",   "const ",  "var ",   "function ",
      "int ",  "double ", "using ",  "assert", "elif ",   ">>> "};
  constexpr std::array<std::string_view, 9> anywhere = {
      "::", "();", ") {", "=>", "+=", " == ", "range(", "len(", "print("};
  while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
  while (!line.empty() && (line.back() == ' ' || line.back() == '\r')) line.remove_suffix(1);
  if (line.empty() || line.find('\\') != std::string_view::npos) return false;
  const auto begins = [&](std::string_view word) { return line.starts_with(word); };
  const auto holds = [&](std::string_view word) { return line.find(word) != std::string_view::npos; };
  // "from 3 to 5" and "if (x = 2)" are prose as well: a statement also looks like one behind.
  const bool opened =
      std::ranges::any_of(beginnings, begins) &&
      (line.ends_with(':') || line.ends_with(';') || line.ends_with('{') || line.ends_with(')') ||
       begins("return ") || begins("import ") || begins("print(") || begins("#include") || begins(">>> ") ||
       begins("let ") || begins("const ") || begins("var "));
  return opened || line.ends_with(';') || line == "}" || line == "{" || std::ranges::any_of(anywhere, holds);
}

std::string without_statements(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    if (!is_statement(line)) result += line;
    result += '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  result.pop_back();
  return result;
}

// "s[::-1]", "a[0]": a name right before its bracket.
std::string without_subscripts(std::string_view text) {
  std::string result;
  for (size_t at = 0; at < text.size(); ++at) {
    const bool subscript = text[at] == '[' && at > 0 && is_name_character(text[at - 1]) &&
                           std::isdigit(static_cast<unsigned char>(text[at - 1])) == 0;
    const size_t close = subscript ? text.find_first_of("]\n", at) : std::string_view::npos;
    const bool command = subscript && text.substr(0, at).ends_with("\\sqrt");
    if (close == std::string_view::npos || text[close] != ']' || command) {
      result += text[at];
    } else {
      at = close;
    }
  }
  return result;
}

}  // namespace

std::string without_code(std::string_view text) {
  std::string result(text);
  if (text.find('`') != std::string_view::npos) result = without_inline_code(without_fences(result));
  if (result.empty()) return result;
  result = without_statements(result);
  return result.find('[') == std::string::npos ? result : without_subscripts(result);
}

}  // namespace lanerope::answers
