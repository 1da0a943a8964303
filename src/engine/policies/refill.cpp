// SPDX-License-Identifier: Apache-2.0
#include "engine/policies/refill.h"

#include "engine/policies/attempt.h"
#include "engine/policies/likeliest_lane.h"
#include "lanerope/answers.h"

namespace lanerope::engine {

Refill::Refill(const PolicySettings& settings, const ResolvedRequest& /*request*/)
    : votes_(settings.whole("votes")), left_(settings.whole("most")) {}

void Refill::after_step(const GroupStatus& group, LaneActions& actions) {
  if (left_ == 0) return;
  std::string agreed;
  for (int32_t m = 0; m < group.n_lanes(); ++m) {
    if (left_ == 0 || !group.takes_lane()) return;
    if (!ended_by_itself(group.lane(m).finish) || replaced_.contains(m)) continue;
    if (agreed.empty()) {
      const std::vector<Vote> votes = group.votes();
      if (votes.empty() || votes.front().count < votes_) return;
      agreed = votes.front().answer;
    }
    const std::optional<std::string> answer = group.answer(m);
    if (answer && same_answer(*answer, agreed)) continue;
    const int32_t best = likeliest_lane(group);
    if (best < 0) return;
    replaced_.insert(m);
    std::string reason = "lane " + std::to_string(m + 1);
    reason += answer ? " answered " + *answer : " gave no answer";
    reason += ", and " + agreed + " is what most answer";
    const auto fork = [&] { actions.add({.parent = best}, reason); };
    if (attempt(fork)) --left_;
  }
}

}  // namespace lanerope::engine
