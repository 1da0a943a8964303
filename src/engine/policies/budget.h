// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/policy_table.h"

namespace lanerope::engine {

// One purse of tokens for all lanes of a group. It is never overspent: the group ends as soon as what is left
// is less than its next step takes.
class Budget final : public Policy {
 public:
  Budget(const PolicySettings& settings, const ResolvedRequest& request);
  void after_step(const GroupStatus& group, LaneActions& actions) override;

 private:
  int64_t tokens_;
};

// Of the purse, what a lane may still count on where all that write go on: a huge number without one.
class Purse {
 public:
  explicit Purse(const ResolvedRequest& request);
  int64_t left_for_each(const GroupStatus& group) const;

 private:
  int64_t tokens_ = -1;  // -1: there is none
};

}  // namespace lanerope::engine
