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

// The policy of that name, if it is asked for; those of the caller's own have other settings.
const PolicyChoice* find_policy(const ResolvedRequest& resolved, std::string_view name) {
  const auto found = std::ranges::find(resolved.policies, name, &PolicyChoice::name);
  return found == resolved.policies.end() || found->make ? nullptr : &*found;
}

// The usual settings are for groups of several lanes, and no reason to refuse one of fewer. Neither are those
// of RequestDefaults, which watch every group.
bool is_usual(const PolicyChoice& policy, std::string_view setting) {
  const PolicyInfo& info = *std::ranges::find(policies(), policy.name, &PolicyInfo::name);
  const auto found = std::ranges::find(info.settings, setting, &PolicySetting::name);
  return PolicySettings(policy).text(setting) == found->usual;
}

struct Reach {
  std::string_view policy;
  std::string_view setting;
  int32_t most = 0;  // with more than this it never acts, however the lanes write
};

void check_reach(const ResolvedRequest& resolved, const Reach& reach) {
  const PolicyChoice* policy = find_policy(resolved, reach.policy);
  if (policy == nullptr || is_usual(*policy, reach.setting)) return;
  const int32_t value = PolicySettings(*policy).whole(reach.setting);
  const int32_t lanes = resolved.asked.lanes + resolved.reserved_lanes;
  require(value <= reach.most,
          std::string(reach.setting) + " of the policy " + policy->name + " is " + std::to_string(value) +
              ", with which it never acts on " + std::to_string(lanes) + (lanes == 1 ? " lane" : " lanes") +
              "; " + (reach.most > 0 ? "give at most " + std::to_string(reach.most) + ", or " : "") +
              "ask for more lanes");
}

void check_policies(const ResolvedRequest& resolved) {
  const int32_t lanes = resolved.asked.lanes + resolved.reserved_lanes;
  if (const PolicyChoice* agree = find_policy(resolved, consensus))
    require(PolicySettings(*agree).whole("lanes") <= lanes,
            "lanes of the policy consensus must be at most the number of lanes");
  if (const PolicyChoice* budget = find_policy(resolved, "budget"))
    require(PolicySettings(*budget).whole("tokens") >= resolved.asked.lanes,
            "tokens of the policy budget must be at least one a lane");
  if (resolved.asked.policies.empty()) return;
  check_reach(resolved, {.policy = "conductor", .setting = "lane", .most = lanes});
  // The lanes that go on writing are fewer than those there are ...
  check_reach(resolved, {.policy = "prune", .setting = "keep", .most = lanes - 1});
  // ... and so are those that agree, before a lane is added for the one that does not.
  if (const PolicyChoice* refill = find_policy(resolved, "refill"))
    check_reach(resolved,
                {.policy = "refill", .setting = "votes", .most = lanes - lanes_added_by(*refill) - 1});
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
  check_policies(resolved);
  const PolicyCommand& command = resolved.asked.policy_command;
  resolved.policy_command = command.command.empty() ? defaults.policy_command : command;
  require(resolved.policy_command.timeout > 0, "the policy command's time-out must be positive");
}

}  // namespace lanerope::engine
