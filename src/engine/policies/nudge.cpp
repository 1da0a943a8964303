// SPDX-License-Identifier: Apache-2.0
#include "engine/policies/nudge.h"

#include "engine/policies/attempt.h"

namespace lanerope::engine {

Nudge::Nudge(const PolicySettings& settings, const ResolvedRequest& /*request*/)
    : every_(settings.whole("every")), text_(settings.text("text")) {
  if (text_.empty()) text_ = "\n\nQuick check: am I doing redundant work? (yes/no): ";
}

void Nudge::after_step(const GroupStatus& group, LaneActions& actions) {
  last_.resize(static_cast<size_t>(group.n_lanes()));
  for (int32_t m = 0; m < group.n_lanes(); ++m) {
    const LaneStatus lane = group.lane(m);
    int32_t& last = last_[static_cast<size_t>(m)];
    if (!lane.live() || lane.forced || lane.generated < last + every_ || group.answer(m)) continue;
    last = lane.generated;
    attempt([&] {  // too little may be left of its budget
      actions.push(m, text_, std::to_string(every_) + " tokens since it began or was last asked");
    });
  }
}

}  // namespace lanerope::engine
