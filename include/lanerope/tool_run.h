// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace lanerope {

// A call that a lane made of a tool, and what came of it.
struct ToolRun {
  int32_t number = 0;  // of the group's calls, from 0
  int32_t lane = 0;
  int32_t step = 0;            // the clock when it called
  std::string tool = {};       // the name that it called
  std::string arguments = {};  // a JSON object
  bool note = false;           // it was called by "<<expression="
  bool returned = false;       // what follows is there
  int32_t returned_step = 0;   // the clock then
  std::string result = {};     // what the lane was given; of a call that failed one sentence
  bool failed = false;
  double milliseconds = 0;  // on the wall
};

}  // namespace lanerope
