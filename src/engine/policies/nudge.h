// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "engine/policy_table.h"

namespace lanerope::engine {

// Every so many tokens a lane is given a text to go on from, such as the question whether another lane does
// the same already (Hogwild!, 2504.06261).
class Nudge final : public Policy {
 public:
  Nudge(const PolicySettings& settings, const ResolvedRequest& request);
  void after_step(const GroupStatus& group, LaneActions& actions) override;

 private:
  int32_t every_;  // drawn tokens
  std::string text_;
  std::vector<int32_t> last_ = {};  // [lanes] tokens that each had drawn when it was nudged
};

}  // namespace lanerope::engine
