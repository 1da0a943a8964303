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

  explicit Selector(const ResolvedRequest& request) : request_(request) {}
  // `finish_order` has the lanes in the order in which they ended. `prompt` is what a verifier is told.
  void start(std::vector<LaneResult> lanes, std::vector<int32_t> finish_order, const std::string& prompt);
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
  std::unique_ptr<ExternalCall> verifier_;
};

}  // namespace lanerope::engine
