// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lanerope/policy_choice.h"

namespace lanerope::cli {

// --policy, once for each; --policy-cmd and what goes with it.
struct PolicyFlags {
  std::vector<std::string> policies = {};
  PolicyCommand command = {};
  int32_t reserved_lanes = 0;
  std::optional<int32_t> conductor = {};  // a lane, from 1
};

void add_policy_flags(CLI::App& app, PolicyFlags& flags, const std::string& group);
// --policy-cmd and --policy-timeout alone.
void add_policy_command_flags(CLI::App& app, PolicyCommand& command, const std::string& group);

// "consensus|budget|...": completion reads words from the name of an option's type.
std::string policy_names();

// The flags' policies. Throws InvalidRequest for one that is not there, or is told what it does not know.
std::vector<PolicyChoice> to_policies(const PolicyFlags& flags);

// "Policies, with their settings as they usually are:" and a line each, for the end of a help text.
std::string policies_help();

}  // namespace lanerope::cli
