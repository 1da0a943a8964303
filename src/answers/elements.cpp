// SPDX-License-Identifier: Apache-2.0
#include "answers/elements.h"

#include <array>

#include "answers/characters.h"
#include "answers/extract.h"

namespace lanerope::answers {

namespace {

bool is_open(char c) {
  return c == '(' || c == '[' || c == '{';
}
bool is_close(char c) {
  return c == ')' || c == ']' || c == '}';
}

struct Pair {
  std::string_view open;
  std::string_view close;
};

// Without one pair of brackets or marks that is around all of it, if there is one.
std::string_view inside(std::string_view list) {
  constexpr std::array pairs = {Pair{"**", "**"},
                                Pair{"$", "$"},
                                Pair{"\\(", "\\)"},
                                Pair{"\\left(", "\\right)"},
                                Pair{"\\left[", "\\right]"},
                                Pair{"\\{", "\\}"},
                                Pair{"(", ")"},
                                Pair{"[", "]"},
                                Pair{"{", "}"}};
  while (list.ends_with('.')) list.remove_suffix(1);
  for (const auto& [open, close] : pairs) {
    if (list.size() < open.size() + close.size() || !list.starts_with(open) || !list.ends_with(close))
      continue;
    const std::string_view within = list.substr(open.size(), list.size() - open.size() - close.size());
    int depth = 0;
    for (const char c : within) {
      depth += is_open(c) ? 1 : is_close(c) ? -1 : 0;
      if (depth < 0) break;  // "(1, 2), (3, 4)"
    }
    if (depth == 0) return trimmed(within);
  }
  return list;
}

std::vector<std::string> parted(std::string_view text, bool with_thousands) {
  std::vector<std::string> elements;
  int depth = 0;
  size_t begin = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size()) {
      depth += is_open(text[i]) ? 1 : is_close(text[i]) ? -1 : 0;
      const bool parts =
          (text[i] == ',' && !(with_thousands && is_thousands_comma(text, i))) || text[i] == ';';
      if (!parts || depth != 0) continue;
    }
    elements.push_back(normalise_answer(text.substr(begin, i - begin)));
    begin = i + 1;
  }
  return elements;
}

}  // namespace

std::vector<std::string> list_elements(std::string_view list, size_t count) {
  std::string_view whole = trimmed(list);
  while (count > 1 && inside(whole) != whole) whole = inside(whole);
  for (const bool with_thousands : {false, true}) {
    std::vector<std::string> elements = parted(whole, with_thousands);
    if (elements.size() != count) continue;
    for (const std::string& element : elements) {
      if (element.empty()) return {};
    }
    return elements;
  }
  return {};
}

}  // namespace lanerope::answers
