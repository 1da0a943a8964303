// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/external_call.h"
#include "engine/selection.h"
#include "engine/verifier.h"
#include "lanerope/resolve.h"

namespace lanerope::engine {

// Chooses the answer of a group whose lanes have ended: at once, or when a verifier has spoken.
class Selector {
 public:
  struct Outcome {
    Selected selected = {};
    std::vector<double> scores = {};  // of a verifier that has spoken, one a lane
    std::string note = {};            // why another way was taken
  };

  // A group whose lanes have ended.
  struct Ended {
    std::vector<LaneResult> lanes = {};
    std::vector<int32_t> finish_order = {};  // the lanes in the order in which they ended
    int32_t then_lane = -1;                  // the second stage's
    std::string prompt = {};                 // what a verifier is told
  };

  explicit Selector(const ResolvedRequest& request) : request_(request) {}
  void start(Ended group);
  // The outcome, once, when there is one; waits at most `patience` for it.
  std::optional<Outcome> poll(std::chrono::milliseconds patience);
  // A verifier that still runs is killed, here or when the selector goes away.
  void stop() {
    if (verifier_ != nullptr) verifier_->stop();
  }

 private:
  void calibrate(Outcome& outcome) const;
  Outcome choose() const;
  Outcome by_verdict(const Verdict& verdict) const;

  const ResolvedRequest& request_;
  std::vector<LaneResult> lanes_ = {};
  std::vector<int32_t> finish_order_ = {};
  int32_t then_lane_ = -1;
  std::unique_ptr<ExternalCall> verifier_;
};

}  // namespace lanerope::engine
