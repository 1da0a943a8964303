// SPDX-License-Identifier: Apache-2.0
#include "engine/policies/adaptive.h"

#include <algorithm>

#include "engine/policies/attempt.h"

namespace lanerope::engine {

namespace {

bool writes(const GroupStatus& group) {
  for (int32_t m = 0; m < group.n_lanes(); ++m) {
    if (group.lane(m).live()) return true;
  }
  return false;
}

}  // namespace

Adaptive::Adaptive(const PolicySettings& settings, const ResolvedRequest& /*request*/)
    : votes_(settings.whole("votes")), wave_(settings.whole("wave")), left_(settings.whole("most")) {}

void Adaptive::after_step(const GroupStatus& group, LaneActions& actions) {
  const std::vector<Vote> votes = group.votes();
  const int32_t most = votes.empty() ? 0 : votes.front().count;
  if (most >= votes_) {
    left_ = 0;
    if (writes(group))
      actions.end(FinishReason::consensus, std::to_string(most) + " lanes answer " + votes.front().answer);
    return;
  }
  const std::string reason = most == 0 ? "no lane has answered"
                                       : "no answer has more than " + std::to_string(most) + " of the " +
                                             std::to_string(votes_) + " votes that are wanted";
  // A lane whose first token is its end has ended when it is there, and no step follows.
  while (!writes(group) && left_ > 0 && group.takes_lane()) {
    for (int32_t i = 0; i < wave_ && left_ > 0 && group.takes_lane(); ++i)
      left_ = attempt([&] { actions.add({}, reason); }) ? left_ - 1 : 0;
  }
}

}  // namespace lanerope::engine
