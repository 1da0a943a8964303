// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace lanerope::data {

// A key of a line that lanerope does not read, and its value as JSON: an id, what a question is sorted by.
struct OtherKey {
  std::string key = {};
  std::string json = {};

  bool operator==(const OtherKey&) const = default;
};

// One group of lanes that answered one question, as the trainer reads it; without lanes it is a problem.
struct Trace {
  std::string question = {};
  std::string answer = {};
  std::vector<std::string> lanes = {};  // what each lane wrote, without its tag and its end token
  std::vector<bool> labels = {};        // [lanes], whether each lane is right; empty where that is not said
  std::vector<bool> ended = {};  // [lanes], whether each lane ended by itself; empty where that is not said
  std::vector<OtherKey> other = {};  // kept, and written back
};

}  // namespace lanerope::data
