// SPDX-License-Identifier: Apache-2.0
#include "grammar/gbnf.h"

#include <algorithm>
#include <cctype>

namespace lanerope::grammar {

namespace {

constexpr std::string_view any_character = "[\\x00-\\U0010FFFF]";

bool is_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
}

// The end of what begins at `at` and ends with `close`, escapes in it included.
size_t end_of(std::string_view text, size_t at, char close) {
  for (++at; at < text.size() && text[at] != close; ++at) {
    if (text[at] == '\\') ++at;
  }
  return std::min(at + 1, text.size());
}

}  // namespace

std::string from_gbnf(std::string_view grammar) {
  std::string text;
  for (size_t at = 0; at < grammar.size();) {
    const char c = grammar[at];
    size_t end = at + 1;
    if (c == '"') end = end_of(grammar, at, '"');
    if (c == '[') end = end_of(grammar, at, ']');
    if (c == '#') end = std::min(grammar.find('\n', at), grammar.size());
    if (is_name(c)) {
      while (end < grammar.size() && (is_name(grammar[end]) || grammar[end] == '.')) ++end;
    }
    text += c == '.' ? any_character : grammar.substr(at, end - at);
    at = end;
  }
  return text;
}

}  // namespace lanerope::grammar
