// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/policy_table.h"

namespace lanerope::engine {

// Where the group's likeliest lane has drawn one of two tokens that are near, adds a fork of it that takes
// the other one, and lets both go on.
class ForkOnDoubt final : public Policy {
 public:
  ForkOnDoubt(const PolicySettings& settings, const ResolvedRequest& request);
  bool reads_tokens() const override { return true; }
  void after_step(const GroupStatus& group, LaneActions& actions) override;

 private:
  double gap_;
  int32_t apart_;     // steps
  int32_t left_;      // forks
  int32_t last_ = 0;  // the clock at the last fork, or at the beginning
};

}  // namespace lanerope::engine
