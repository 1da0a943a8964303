// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace lanerope::toy {

// What the checker throws inside; what() is the fault as a sentence.
struct TraceFault : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A part as the question tells it: factor * other_factor, then + added or - removed, which are 0 where
// absent.
struct ToldPart {
  int64_t factor = 0;
  int64_t other_factor = 0;
  int64_t added = 0;
  int64_t removed = 0;
};

// Reads the parts back from the English of a made word problem, in the order of their labels. Throws
// TraceFault if the text is not such a question.
std::vector<ToldPart> read_question(std::string_view question);

}  // namespace lanerope::toy
