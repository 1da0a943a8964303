// SPDX-License-Identifier: Apache-2.0
#include "engine/policies/fork_on_doubt.h"

#include <cmath>
#include <cstdio>

#include "engine/policies/likeliest_lane.h"

namespace lanerope::engine {

ForkOnDoubt::ForkOnDoubt(const PolicySettings& settings, const ResolvedRequest& /*request*/)
    : gap_(settings.number("gap")), apart_(settings.whole("apart")), left_(settings.whole("most")) {}

void ForkOnDoubt::after_step(const GroupStatus& group, LaneActions& actions) {
  if (left_ == 0 || group.clock() - last_ < apart_ || !group.takes_lane()) return;
  const int32_t best = likeliest_lane(group);
  if (best < 0) return;
  const std::optional<DrawnToken> drawn = group.lane(best).drawn;
  if (!drawn || drawn->second.token < 0) return;
  const double gap = std::exp(drawn->likeliest.logprob) - std::exp(drawn->second.logprob);
  if (gap > gap_) return;
  const TokenId other = drawn->token == drawn->likeliest.token ? drawn->second.token : drawn->likeliest.token;
  char reason[96];
  std::snprintf(reason, sizeof reason, "its two likeliest tokens have %.2f and %.2f",
                std::exp(drawn->likeliest.logprob), std::exp(drawn->second.logprob));
  --left_;
  last_ = group.clock();
  // The drawn token is what the lane feeds at the clock.
  actions.add({.parent = best, .fork_step = group.clock(), .tokens = {other}}, reason);
}

}  // namespace lanerope::engine
