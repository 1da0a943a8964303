// SPDX-License-Identifier: Apache-2.0
#include "rollout/many_groups.h"

#include <chrono>
#include <utility>

namespace lanerope::rollout {

void ManyGroups::submit(std::shared_ptr<const ResolvedRequest> request, Take take) {
  takers_.emplace(engine_.submit(std::move(request)), std::move(take));
  ++reading_;
}

bool ManyGroups::run(const std::function<void()>& refill) {
  while (true) {
    if (options_.stopped && options_.stopped()) {
      cancel_all();
      return false;
    }
    refill();
    if (takers_.empty()) return true;
    step();
  }
}

void ManyGroups::step() {
  using Clock = std::chrono::steady_clock;
  const int32_t lanes = engine_.state().lanes;
  const bool reads_prompts = reading_ > 0;
  const Clock::time_point start = Clock::now();
  engine_.step([this](const Event& event) {
    const auto found = takers_.find(event.group);
    if (found == takers_.end()) return;
    if (event.kind == EventKind::prefill) --reading_;
    if (event.kind != EventKind::group_finished) return found->second(event);
    rethrow_failure(*event.result);
    const Take take = std::move(found->second);
    takers_.erase(found);
    take(event);
  });
  const std::chrono::duration<double> seconds = Clock::now() - start;
  if (options_.step_done) options_.step_done(lanes, reads_prompts, seconds.count());
}

void ManyGroups::cancel_all() {
  for (const auto& [group, take] : std::exchange(takers_, {})) engine_.cancel(group);
  while (engine_.step([](const Event&) {})) {
  }
}

}  // namespace lanerope::rollout
