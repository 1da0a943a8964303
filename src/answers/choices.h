// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lanerope::answers {

// Letters of choices, A to J.
struct Choice {
  std::string letters;  // each once, in the alphabet's order
  std::string content;  // what stands behind the letter: "9" of "(C) 9"
  bool marked = false;  // in brackets or with a content, so that it is no variable
};

// "(B)", "B.", "A, C", "ACD", "\text{(C)} 9", "Option D", "故选：B"; nothing where a text is no choice.
std::optional<Choice> choice_of(std::string_view text);

}  // namespace lanerope::answers
