// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lanerope/policy.h"
#include "lanerope/resolve.h"

namespace lanerope::engine {

// What a policy command reads and writes, as docs/policies.md has it: JSON, a line each.

// The first line that it reads: what the group is. It writes nothing of that.
std::string start_line(const ResolvedRequest& request);

// The line that it reads behind a step. `shown` has how much of each lane's text earlier lines had, and is
// brought up to date; `refused` has what it asked for before and was refused.
std::string step_line(const GroupStatus& group, std::vector<size_t>& shown,
                      const std::vector<PolicyAct>& refused);

// What it wrote behind a step: a list of acts, maybe empty. Throws InvalidRequest with a clause on what is
// wrong with the line.
struct AskedAct {
  PolicyAct act = {};
  int32_t fork_step = -1;
};
std::vector<AskedAct> read_acts(const std::string& line);

}  // namespace lanerope::engine
