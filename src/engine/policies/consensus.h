// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/policy_table.h"

namespace lanerope::engine {

// Ends the group as soon as enough of its lanes have given the same answer.
class Consensus final : public Policy {
 public:
  Consensus(const PolicySettings& settings, const ResolvedRequest& request);
  void after_step(const GroupStatus& group, LaneActions& actions) override;

 private:
  int32_t wanted_;  // lanes
};

}  // namespace lanerope::engine
