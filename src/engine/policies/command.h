// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/child_process.h"
#include "lanerope/policy.h"
#include "lanerope/resolve.h"

namespace lanerope::engine {

// A policy that is a program of the user's: told of each step in a line, it answers with a line of acts. The
// step waits for it. Once it has failed it is not asked again.
class CommandPolicy final : public Policy {
 public:
  explicit CommandPolicy(PolicyCommand command) : command_(std::move(command)) {}
  ~CommandPolicy() override;
  CommandPolicy(const CommandPolicy&) = delete;
  CommandPolicy& operator=(const CommandPolicy&) = delete;

  bool reads_tokens() const override { return true; }
  void after_step(const GroupStatus& group, LaneActions& actions) override;

 private:
  // The line that it answers with. Throws SystemError with what went wrong.
  std::string exchange(std::string lines);
  void act(const std::string& line, LaneActions& actions);

  PolicyCommand command_;
  std::unique_ptr<ChildProcess> child_ = {};
  bool failed_ = false;
  std::string unread_ = {};              // what it wrote beyond a line
  std::vector<size_t> shown_ = {};       // [lanes] of their texts
  std::vector<PolicyAct> refused_ = {};  // of the last step
};

}  // namespace lanerope::engine
