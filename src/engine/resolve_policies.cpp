// SPDX-License-Identifier: Apache-2.0
#include "engine/resolve_policies.h"

#include <algorithm>

#include "engine/policy_table.h"
#include "lanerope/errors.h"

namespace lanerope::engine {

namespace {

constexpr auto consensus = "consensus";

void require(bool good, const std::string& what) {
  if (!good) throw InvalidRequest(what);
}

// Selection::consensus is the policy of that name.
std::vector<PolicyChoice> asked_policies(const ResolvedRequest& resolved, const RequestDefaults& defaults) {
  const Request& request = resolved.asked;
  std::vector<PolicyChoice> asked = request.policies.empty() ? defaults.policies : request.policies;
  const int32_t lanes = request.selection.consensus;
  if (lanes == 0) return asked;
  require(std::ranges::find(asked, consensus, &PolicyChoice::name) == asked.end(),
          "consensus is asked for twice, by itself and as a policy; leave one out");
  asked.insert(asked.begin(),
               {.name = consensus, .settings = {{.name = "lanes", .value = std::to_string(lanes)}}});
  return asked;
}

}  // namespace

void resolve_policies(ResolvedRequest& resolved, const RequestDefaults& defaults) {
  int32_t added = 0;
  for (const PolicyChoice& choice : asked_policies(resolved, defaults)) {
    require(std::ranges::find(resolved.policies, choice.name, &PolicyChoice::name) == resolved.policies.end(),
            "the policy " + choice.name + " is asked for twice; give it once, with all of its settings");
    resolved.policies.push_back(resolve_policy(choice));
    added += lanes_added_by(resolved.policies.back());
  }
  resolved.reserved_lanes += added;
  const auto agree = std::ranges::find(resolved.policies, consensus, &PolicyChoice::name);
  if (agree != resolved.policies.end() && !agree->make)
    require(PolicySettings(*agree).whole("lanes") <= resolved.asked.lanes + resolved.reserved_lanes,
            "lanes of the policy consensus must be at most the number of lanes");
  const auto budget = std::ranges::find(resolved.policies, "budget", &PolicyChoice::name);
  if (budget != resolved.policies.end() && !budget->make)
    require(PolicySettings(*budget).whole("tokens") >= resolved.asked.lanes,
            "tokens of the policy budget must be at least one a lane");
  const PolicyCommand& command = resolved.asked.policy_command;
  resolved.policy_command = command.command.empty() ? defaults.policy_command : command;
  require(resolved.policy_command.timeout > 0, "the policy command's time-out must be positive");
}

}  // namespace lanerope::engine
