// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace lanerope::data {

// A key of a line that lanerope does not read, and its value as JSON: an id, what a question is sorted by.
struct OtherKey {
  std::string key = {};
  std::string json = {};

  bool operator==(const OtherKey&) const = default;
};

// One more lane that reads all others when they have ended.
struct SecondStageTrace {
  std::string told = {};     // what it is to do with what the lanes wrote
  std::string written = {};  // without its end token

  bool operator==(const SecondStageTrace&) const = default;
};

// One group of lanes that answered one question, as the trainer reads it; without lanes it is a problem.
struct Trace {
  std::string question = {};
  std::string answer = {};
  std::vector<std::string> lanes = {};  // what each lane wrote, without its tag and its end token
  std::vector<bool> labels = {};        // [lanes], whether each lane is right; empty where that is not said
  std::vector<bool> ended = {};  // [lanes], whether each lane ended by itself; empty where that is not said
  std::optional<SecondStageTrace> second_stage = {};
  std::vector<OtherKey> other = {};  // kept, and written back
};

}  // namespace lanerope::data
