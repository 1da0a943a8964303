// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace lanerope::data {

// One group of lanes that answered one question, as the trainer reads it; without lanes it is a problem.
struct Trace {
  std::string question = {};
  std::string answer = {};
  std::vector<std::string> lanes = {};  // what each lane wrote, without its tag and its end token
  std::vector<bool> labels = {};        // [lanes], whether each lane is right; empty where that is not said
  std::vector<bool> ended = {};  // [lanes], whether each lane ended by itself; empty where that is not said
  int32_t parts = 0;             // 0 where that is not known
};

}  // namespace lanerope::data
