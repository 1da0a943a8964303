// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "lanerope/token.h"

namespace lanerope {

// The tokens by which lanes wait for one another (docs/couplings.md, "Lanes that wait"). A lane that has
// chosen `wait` sleeps: that token is held back and nothing of the lane is computed, until a lane that it
// sees has chosen `ready` or has ended, or until no lane of the group is awake. Then the token is fed, at the
// clock's index of that moment.
struct SleepTokens {
  TokenId wait = -1;   // -1: lanes never sleep
  TokenId ready = -1;  // -1: only the end of a lane wakes others

  bool on() const { return wait >= 0; }
  bool operator==(const SleepTokens&) const = default;
};

// A time that a lane slept.
struct Sleep {
  int32_t token = 0;  // the number of the lane's token that was held back
  int32_t steps = 0;  // of the clock, for so long; more than 0

  bool operator==(const Sleep&) const = default;
};

}  // namespace lanerope
