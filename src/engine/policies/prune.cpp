// SPDX-License-Identifier: Apache-2.0
#include "engine/policies/prune.h"

#include <algorithm>
#include <cstdio>

namespace lanerope::engine {

namespace {

std::string reason_of(double own, double ratio, double others) {
  char text[128];
  std::snprintf(text, sizeof text, "its confidence is %.2f, below %.2f x %.2f of the others", own, ratio,
                others);
  return text;
}

int32_t live_lanes(const GroupStatus& group) {
  int32_t live = 0;
  for (int32_t m = 0; m < group.n_lanes(); ++m) live += group.lane(m).live() ? 1 : 0;
  return live;
}

}  // namespace

Prune::Prune(const PolicySettings& settings, const ResolvedRequest& /*request*/)
    : window_(static_cast<size_t>(settings.whole("window"))),
      ratio_(settings.number("ratio")),
      keep_(settings.whole("keep")) {}

void Prune::add(const GroupStatus& group) {
  windows_.resize(static_cast<size_t>(group.n_lanes()));
  for (int32_t m = 0; m < group.n_lanes(); ++m) {
    const std::optional<DrawnToken> drawn = group.lane(m).drawn;
    if (!drawn) continue;
    Window& window = windows_[m];
    window.last.push_back(drawn->confidence);
    window.sum += drawn->confidence;
    if (window.last.size() <= window_) continue;
    window.sum -= window.last.front();
    window.last.pop_front();
  }
}

// The lanes that write and have filled their window.
std::vector<int32_t> Prune::comparable(const GroupStatus& group) const {
  std::vector<int32_t> lanes;
  for (int32_t m = 0; m < group.n_lanes(); ++m) {
    if (group.lane(m).live() && windows_[m].last.size() == window_) lanes.push_back(m);
  }
  return lanes;
}

void Prune::after_step(const GroupStatus& group, LaneActions& actions) {
  add(group);
  while (live_lanes(group) > keep_) {
    const std::vector<int32_t> lanes = comparable(group);
    if (lanes.size() < 2) return;
    const int32_t least = *std::ranges::min_element(lanes, {}, [this](int32_t m) { return mean_of(m); });
    double others = 0;
    for (const int32_t m : lanes) others += m == least ? 0 : mean_of(m);
    others /= static_cast<double>(lanes.size() - 1);
    if (mean_of(least) >= ratio_ * others) return;
    actions.retire(least, reason_of(mean_of(least), ratio_, others));
  }
}

}  // namespace lanerope::engine
