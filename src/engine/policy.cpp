// SPDX-License-Identifier: Apache-2.0
#include "engine/policy.h"

#include "engine/policies/consensus.h"

namespace lanerope::engine {

std::vector<std::unique_ptr<LanePolicy>> make_policies(const ResolvedRequest& request) {
  std::vector<std::unique_ptr<LanePolicy>> policies;
  if (request.selection.consensus > 0)
    policies.push_back(std::make_unique<Consensus>(request.selection.consensus));
  return policies;
}

}  // namespace lanerope::engine
