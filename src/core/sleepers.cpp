// SPDX-License-Identifier: Apache-2.0
#include "core/sleepers.h"

#include <algorithm>

#include "core/visibility.h"

namespace lanerope::core {

void Sleepers::joined(int32_t lane) {
  lanes_.resize(std::max(lanes_.size(), static_cast<size_t>(lane) + 1));
  lanes_[lane].live = true;
}

void Sleepers::chose(int32_t lane, TokenId token) {
  if (!tokens_.on()) return;
  if (token == tokens_.wait) lanes_[lane].wants_sleep = true;
  if (token == tokens_.ready) lanes_[lane].has_news = true;
}

void Sleepers::ended(int32_t lane) {
  lanes_[lane].live = false;
  lanes_[lane].held = false;
  lanes_[lane].has_news = true;
}

void Sleepers::given_text(int32_t lane) {
  lanes_[lane].was_given = true;
}

void Sleepers::hold(int32_t lane) {
  lanes_[lane].held = lanes_[lane].live;
}

void Sleepers::release(int32_t lane) {
  lanes_[lane].held = false;
}

bool Sleepers::must_wake(int32_t m) const {
  const Lane& lane = lanes_[m];
  if (!lane.live || lane.was_given) return true;
  const auto n_lanes = static_cast<int32_t>(lanes_.size());
  bool company = false;
  for (int32_t n = 0; n < n_lanes; ++n) {
    if (!sees_lane(coupling_, m, n, n_lanes)) continue;
    if (lanes_[n].has_news) return true;
    company = company || lanes_[n].live;
  }
  return !company;
}

std::vector<Sleepers::Change> Sleepers::settle() {
  for (Lane& lane : lanes_) lane.asleep = lane.asleep || lane.wants_sleep;
  for (size_t m = 0; m < lanes_.size(); ++m) {
    if (lanes_[m].asleep && must_wake(static_cast<int32_t>(m))) lanes_[m].asleep = false;
  }
  // One that is held will be awake.
  const bool awake =
      std::ranges::any_of(lanes_, [](const Lane& lane) { return lane.live && (lane.held || !lane.asleep); });
  std::vector<Change> changes;
  for (size_t m = 0; m < lanes_.size(); ++m) {
    Lane& lane = lanes_[m];
    const bool before = lane.told;
    lane = {.live = lane.live, .asleep = lane.asleep && awake, .held = lane.held};
    lane.told = lane.asleep || lane.held;
    if (lane.told != before) changes.push_back({.lane = static_cast<int32_t>(m), .asleep = lane.told});
  }
  return changes;
}

std::vector<std::vector<int32_t>> lane_steps(std::span<const std::span<const TokenId>> lanes,
                                             std::span<const int32_t> start_steps, Sleepers rule) {
  const auto n_lanes = static_cast<int32_t>(lanes.size());
  const auto start = [&](int32_t m) { return start_steps.empty() ? 0 : start_steps[m]; };
  std::vector<std::vector<int32_t>> steps(lanes.size());
  const auto choose = [&](int32_t m) {
    const size_t next = steps[m].size();
    if (next >= lanes[m].size()) return;
    rule.chose(m, lanes[m][next]);
    if (next + 1 == lanes[m].size()) rule.ended(m);
  };
  const auto is_fed = [&](int32_t m, int32_t clock) {
    return clock >= start(m) && steps[m].size() < lanes[m].size() && !rule.asleep(m);
  };
  const auto left = [&](int32_t m) { return steps[m].size() < lanes[m].size(); };
  for (int32_t clock = 0;; ++clock) {
    for (int32_t m = 0; m < n_lanes; ++m) {
      if (clock != start(m)) continue;
      rule.joined(m);
      choose(m);
    }
    rule.settle();
    bool over = true;
    std::vector<int32_t> fed;
    for (int32_t m = 0; m < n_lanes; ++m) {
      over = over && !left(m);
      if (is_fed(m, clock)) fed.push_back(m);
    }
    if (over) return steps;
    for (const int32_t m : fed) {
      steps[m].push_back(clock);
      choose(m);
    }
  }
}

int32_t hand_over_of(std::span<const TokenId> tokens, SleepTokens sleep) {
  const auto is_hand_over = [sleep](TokenId token) { return core::is_hand_over(token, sleep); };
  const auto at = std::ranges::find_if(tokens, is_hand_over);
  return at == tokens.end() ? never_sees : static_cast<int32_t>(at - tokens.begin());
}

std::vector<Sleep> sleeps_of(std::span<const int32_t> steps, int32_t start_step) {
  std::vector<Sleep> sleeps;
  int32_t next = start_step;
  for (size_t i = 0; i < steps.size(); ++i) {
    if (steps[i] > next) sleeps.push_back({.token = static_cast<int32_t>(i), .steps = steps[i] - next});
    next = steps[i] + 1;
  }
  return sleeps;
}

}  // namespace lanerope::core
