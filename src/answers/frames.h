// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lanerope::answers {

struct Framed {
  std::string answer;
  bool complete;  // its line has ended, and the frame is one that nobody writes in passing
};

// What follows the last "####" that has an answer behind it: on its line, or below a heading such as "####
// Final Answer". Other headings are none.
std::optional<Framed> marked_answer(std::string_view text);

// What the text's last line marks, where that line begins with "####" and holds an answer and nothing else: a
// last word, whatever stood in boxes before.
std::optional<Framed> last_line_mark(std::string_view text);

// What follows the last "the answer is", "Final answer:", "答案是", "故选" and their like.
std::optional<Framed> framed_answer(std::string_view text);

}  // namespace lanerope::answers
