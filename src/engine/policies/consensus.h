// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/policy.h"

namespace lanerope::engine {

// Ends the group as soon as `lanes` of its lanes have given the same answer.
class Consensus final : public LanePolicy {
 public:
  explicit Consensus(int32_t lanes) : wanted_(lanes) {}
  void after_step(const GroupStatus& status, LaneActions& actions) override;

 private:
  int32_t wanted_;
};

}  // namespace lanerope::engine
