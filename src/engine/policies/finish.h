// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "engine/policies/budget.h"
#include "engine/policy_table.h"

namespace lanerope::engine {

// Gives a lane that is about to run out of tokens, its own or the group's, a text that leads it to its
// answer.
class Finish final : public Policy {
 public:
  Finish(const PolicySettings& settings, const ResolvedRequest& request);
  void after_step(const GroupStatus& group, LaneActions& actions) override;

 private:
  std::string lead_for(std::string_view text) const;

  int64_t at_;
  std::string text_;
  Purse purse_;
  ChatStyle style_;
  Thinking thinking_;
  std::set<int32_t> refused_ = {};  // lanes that the text has no room in, or whose format it is none of
};

// The beginning of an answer in the form that a prompt asks for: a box, a line behind "####", or a line that
// says which it is.
std::string answer_lead(std::string_view prompt);

}  // namespace lanerope::engine
