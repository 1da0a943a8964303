// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/lane.h"

namespace lanerope::engine {

// What may be done to the lanes of a running group: by its policies, and by Engine's caller. Throws
// InvalidRequest where the lane is not there or has ended.
class LaneActions {
 public:
  virtual ~LaneActions() = default;
  virtual void push(int32_t lane, std::string_view text) = 0;  // forced next, one token a step
  virtual void retire(int32_t lane) = 0;                       // its segment stays readable
  // Ends the lanes that are still live, and with them the group.
  virtual void end_all(FinishReason reason) = 0;
};

// A group as a policy sees it after a step.
struct GroupStatus {
  const ResolvedRequest& request;
  const std::deque<Lane>& lanes;
  int32_t clock = 0;
};

// Watches a group step by step and acts. One object a group, called on the engine's thread; what it throws
// ends its group alone.
class LanePolicy {
 public:
  virtual ~LanePolicy() = default;
  virtual void after_step(const GroupStatus& status, LaneActions& actions) = 0;
};

// The policies that the request asks for.
std::vector<std::unique_ptr<LanePolicy>> make_policies(const ResolvedRequest& request);

}  // namespace lanerope::engine
