// SPDX-License-Identifier: Apache-2.0
#include "engine/policies/fork_on_doubt.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "engine/policies/attempt.h"
#include "engine/policies/likeliest_lane.h"
#include "lanerope/model.h"
#include "lanerope/resolve.h"

namespace lanerope::engine {

namespace {

// A lane ends with its end where it is drawn, and not where it is forced; what a bias is against is not
// forced either.
bool may_go_on_with(TokenId token, const ResolvedRequest& request) {
  const auto is_against = [token](const LogitBias& bias) { return bias.token == token && bias.bias < 0; };
  return !request.model->is_end(token) && std::ranges::none_of(request.sampling.logit_bias, is_against);
}

}  // namespace

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
  if (!may_go_on_with(other, group.request())) return;
  char reason[96];
  std::snprintf(reason, sizeof reason, "its two likeliest tokens have %.2f and %.2f",
                std::exp(drawn->likeliest.logprob), std::exp(drawn->second.logprob));
  last_ = group.clock();
  // The drawn token is what the lane feeds at the clock. The other one may be none that the format allows.
  const auto fork = [&] {
    actions.add({.parent = best, .fork_step = group.clock(), .tokens = {other}}, reason);
  };
  if (attempt(fork)) --left_;
}

}  // namespace lanerope::engine
