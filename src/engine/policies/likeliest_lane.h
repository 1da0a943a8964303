// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lanerope/policy.h"

namespace lanerope::engine {

// The group's best lane: of those that write and have drawn a token, the one with the highest mean
// log-probability, the first of equals; -1 if there is none.
inline int32_t likeliest_lane(const GroupStatus& group) {
  int32_t best = -1;
  double highest = 0;
  for (int32_t m = 0; m < group.n_lanes(); ++m) {
    const LaneStatus lane = group.lane(m);
    if (!lane.live() || lane.generated == 0 || (best >= 0 && lane.mean_logprob <= highest)) continue;
    best = m;
    highest = lane.mean_logprob;
  }
  return best;
}

}  // namespace lanerope::engine
