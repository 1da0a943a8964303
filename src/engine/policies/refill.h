// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>

#include "engine/policy_table.h"

namespace lanerope::engine {

// Where a lane has ended by itself with another answer than several lanes agree on, or with none, adds a fork
// of the likeliest lane that still writes. The vote of the lane that ended stays.
class Refill final : public Policy {
 public:
  Refill(const PolicySettings& settings, const ResolvedRequest& request);
  void after_step(const GroupStatus& group, LaneActions& actions) override;

 private:
  int32_t votes_;
  int32_t left_;                     // forks
  std::set<int32_t> replaced_ = {};  // lanes
};

}  // namespace lanerope::engine
