// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/policy_table.h"

namespace lanerope::engine {

// Adds lanes, some at a time, until enough of them agree: as adaptive consistency (Aggarwal et al. 2023) and
// early-stopping self-consistency (Li et al. 2024) sample until answers are certain.
class Adaptive final : public Policy {
 public:
  Adaptive(const PolicySettings& settings, const ResolvedRequest& request);
  bool outlives_lanes() const override { return true; }
  void after_step(const GroupStatus& group, LaneActions& actions) override;

 private:
  int32_t votes_;  // that are enough
  int32_t wave_;   // lanes at a time
  int32_t left_;   // lanes that may still be added
};

}  // namespace lanerope::engine
