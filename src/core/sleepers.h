// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "lanerope/coupling.h"
#include "lanerope/sleep.h"

namespace lanerope::core {

// Which lanes of a group sleep, by what they choose. The engine tells it step by step; lane_steps() for lanes
// that are known already. A lane sleeps from the moment that it chose the wait token. It wakes when a lane
// that it sees has chosen the ready token or has ended at the same moment or later, when no lane that it sees
// is left, or when no lane of the group is awake.
class Sleepers {
 public:
  Sleepers(SleepTokens tokens, const Coupling& coupling) : tokens_(tokens), coupling_(coupling) {}

  void joined(int32_t lane);
  void left() { lanes_.pop_back(); }  // the one that joined last, after all
  void chose(int32_t lane, TokenId token);
  void ended(int32_t lane);
  void given_text(int32_t lane);  // wakes it
  // A lane that waits for what comes from outside sleeps from hold() to release(), whatever the others do.
  void hold(int32_t lane);
  void release(int32_t lane);

  // What of the lanes changed, once all have chosen for a step.
  struct Change {
    int32_t lane = 0;
    bool asleep = false;
  };
  std::vector<Change> settle();

  bool asleep(int32_t lane) const { return lanes_[lane].asleep || lanes_[lane].held; }

 private:
  struct Lane {
    bool live = false;
    bool asleep = false;  // by the wait token
    bool held = false;
    bool told = false;         // that it sleeps, by settle()
    bool wants_sleep = false;  // chose the wait token since settle()
    bool has_news = false;     // chose the ready token, or ended, since settle()
    bool was_given = false;    // text, since settle()
  };
  bool must_wake(int32_t m) const;

  SleepTokens tokens_;
  const Coupling& coupling_;
  std::vector<Lane> lanes_;
};

// The step in which each token of these lanes is fed, the last ones too: lane m begins at start_steps[m]
// (all at 0 where that is empty), chooses its tokens one after the other and ends with its last one.
std::vector<std::vector<int32_t>> lane_steps(std::span<const std::span<const TokenId>> lanes,
                                             std::span<const int32_t> start_steps, Sleepers rule);

// SeesFrom::hand_over: whether a lane sees others from this token on, and which of its tokens is the first
// such one, `never_sees` where it has none.
inline bool is_hand_over(TokenId token, SleepTokens sleep) {
  return sleep.on() && (token == sleep.wait || token == sleep.ready);
}
inline constexpr int32_t never_sees = std::numeric_limits<int32_t>::max();
int32_t hand_over_of(std::span<const TokenId> tokens, SleepTokens sleep);

// The sleeps of a lane whose tokens are fed in these steps.
std::vector<Sleep> sleeps_of(std::span<const int32_t> steps, int32_t start_step);

}  // namespace lanerope::core
