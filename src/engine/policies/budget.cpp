// SPDX-License-Identifier: Apache-2.0
#include "engine/policies/budget.h"

#include <algorithm>
#include <limits>

namespace lanerope::engine {

namespace {

struct Spent {
  int64_t tokens = 0;
  int64_t live = 0;  // lanes
};

Spent spent_by(const GroupStatus& group) {
  Spent spent;
  for (int32_t m = 0; m < group.n_lanes(); ++m) {
    const LaneStatus lane = group.lane(m);
    spent.tokens += lane.tokens;
    spent.live += lane.live() ? 1 : 0;
  }
  return spent;
}

}  // namespace

Budget::Budget(const PolicySettings& settings, const ResolvedRequest& /*request*/)
    : tokens_(settings.whole("tokens")) {}

void Budget::after_step(const GroupStatus& group, LaneActions& actions) {
  const Spent spent = spent_by(group);
  if (tokens_ - spent.tokens >= spent.live) return;
  actions.end(FinishReason::length,
              std::to_string(spent.tokens) + " of " + std::to_string(tokens_) + " tokens are spent");
}

Purse::Purse(const ResolvedRequest& request) {
  const auto budget = std::ranges::find(request.policies, "budget", &PolicyChoice::name);
  if (budget != request.policies.end() && !budget->make) tokens_ = PolicySettings(*budget).whole("tokens");
}

int64_t Purse::left_for_each(const GroupStatus& group) const {
  if (tokens_ < 0) return std::numeric_limits<int64_t>::max();
  const Spent spent = spent_by(group);
  return (tokens_ - spent.tokens) / std::max<int64_t>(spent.live, 1);
}

}  // namespace lanerope::engine
