// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "engine/policy_table.h"

namespace lanerope::engine {

// One lane tells the others what to do: its line "@3: check the second sum" is pushed to lane 3, as it is.
// Lanes count from 1 there, as in their tags.
class Conductor final : public Policy {
 public:
  Conductor(const PolicySettings& settings, const ResolvedRequest& request);
  void after_step(const GroupStatus& group, LaneActions& actions) override;

 private:
  void read(std::string_view line, LaneActions& actions) const;

  int32_t lane_;     // from 0
  size_t read_ = 0;  // bytes of its text
};

}  // namespace lanerope::engine
