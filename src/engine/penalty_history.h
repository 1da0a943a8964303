// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <vector>

#include "engine/group_memory.h"
#include "engine/lane.h"
#include "lanerope/resolve.h"

namespace lanerope::engine {

// The lanes of a group, and where each of them comes from.
struct LanesOfGroup {
  const std::deque<Lane>& lanes;
  const GroupMemory& memory;
};

// The tokens before the next one of lane number `index`, as far back as penalties look: the prompt's, of a
// fork those of its parents, the lane's own.
std::vector<TokenId> penalty_history(const ResolvedRequest& request, const LanesOfGroup& group,
                                     int32_t index);

}  // namespace lanerope::engine
