// SPDX-License-Identifier: Apache-2.0
#include "engine/policies/consensus.h"

#include "engine/selection.h"

namespace lanerope::engine {

void Consensus::after_step(const GroupStatus& status, LaneActions& actions) {
  std::vector<LaneResult> lanes(status.lanes.size());
  for (size_t m = 0; m < lanes.size(); ++m) {
    if (const auto answer = status.lanes[m].answer()) {
      lanes[m].answer = answer->text;
      lanes[m].answer_from = answer->from;
    }
  }
  const std::vector<Vote> votes = count_votes(lanes);
  if (!votes.empty() && votes.front().count >= wanted_) actions.end_all(FinishReason::consensus);
}

}  // namespace lanerope::engine
