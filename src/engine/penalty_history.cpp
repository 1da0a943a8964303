// SPDX-License-Identifier: Apache-2.0
#include "engine/penalty_history.h"

#include <algorithm>
#include <ranges>
#include <span>

#include "core/lane_view.h"

namespace lanerope::engine {

std::vector<TokenId> penalty_history(const ResolvedRequest& request, const LanesOfGroup& group,
                                     int32_t index) {
  size_t room = static_cast<size_t>(request.sampling.penalty_window);
  std::vector<std::span<const TokenId>> parts;  // the last one first
  const auto add = [&](std::span<const TokenId> part) {
    parts.push_back(part.last(std::min(part.size(), room)));
    room -= parts.back().size();
  };
  add(group.lanes[static_cast<size_t>(index)].tokens());
  for (core::LaneView fork = group.memory.lane(index); fork.parent >= 0 && room > 0;) {
    // A fork's first token is the one that its parent was fed at fork_step.
    const core::LaneView parent = group.memory.lane(fork.parent);
    const auto before = static_cast<size_t>(core::cells_before(parent, fork.fork_step));
    add(std::span(group.lanes[static_cast<size_t>(fork.parent)].tokens()).first(before));
    fork = parent;
  }
  add(request.prompt);
  std::vector<TokenId> history;
  for (const std::span<const TokenId> part : parts | std::views::reverse)
    history.insert(history.end(), part.begin(), part.end());
  return history;
}

}  // namespace lanerope::engine
