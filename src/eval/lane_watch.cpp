// SPDX-License-Identifier: Apache-2.0
#include "eval/lane_watch.h"

#include <optional>

#include "answers/extract.h"

namespace lanerope::eval {

void LaneWatch::add(const Event& event) {
  text_ += event.text;
  // An answer settles with the brace, the space or the line break that completes it.
  if (event.text.find_first_of("} $\n") == std::string::npos) return;
  const std::optional<std::string> answer = answers::extract_settled_answer(text_);
  if (answer && (settled_.empty() || settled_.back().answer != *answer))
    settled_.push_back({.length = event.step + 1, .answer = *answer});
}

}  // namespace lanerope::eval
