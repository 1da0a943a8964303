// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "lanerope/names.h"

namespace lanerope {

// What a policy does to a group.
enum class ActKind {
  retire,  // ends a lane
  fork,    // adds a lane that goes on from another one's text
  spawn,   // adds a lane that starts afresh
  push,    // gives a lane a text that it writes next
  end,     // ends the group
};
template <>
std::span<const Named<ActKind>> names();

// One act, and why.
struct PolicyAct {
  std::string policy = {};  // its name
  ActKind kind = ActKind::end;
  int32_t step = 0;          // the clock
  int32_t lane = -1;         // the lane that it is about, the new one of fork and spawn; -1: the group
  int32_t parent = -1;       // of a fork
  std::string text = {};     // that a lane is given
  std::string reason = {};   // one clause
  std::string refused = {};  // not empty: it did not happen, and why
};

}  // namespace lanerope
