// SPDX-License-Identifier: Apache-2.0
#include "engine/policies/consensus.h"

namespace lanerope::engine {

Consensus::Consensus(const PolicySettings& settings, const ResolvedRequest& request)
    : wanted_(settings.whole("lanes") > 0 ? settings.whole("lanes") : request.n_lanes() / 2 + 1) {}

void Consensus::after_step(const GroupStatus& group, LaneActions& actions) {
  const std::vector<Vote> votes = group.votes();
  if (votes.empty() || votes.front().count < wanted_) return;
  actions.end(FinishReason::consensus,
              std::to_string(votes.front().count) + " lanes answer " + votes.front().answer);
}

}  // namespace lanerope::engine
