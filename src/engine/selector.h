// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <future>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/selection.h"
#include "engine/verifier.h"
#include "lanerope/resolve.h"

namespace lanerope::engine {

// Chooses the answer of a group whose lanes have ended: at once, or when a verifier has spoken.
class Selector {
 public:
  struct Outcome {
    Selected selected = {};
    std::string note = {};  // why another way was taken
  };

  explicit Selector(const ResolvedRequest& request) : request_(request) {}
  // A verifier that still runs is stopped.
  ~Selector() { stop(); }
  Selector(const Selector&) = delete;
  Selector& operator=(const Selector&) = delete;

  // `finish_order` has the lanes in the order in which they ended. `prompt` is what a verifier is told.
  void start(std::vector<LaneResult> lanes, std::vector<int32_t> finish_order, const std::string& prompt);
  // The outcome once there is one; waits at most `patience` for it.
  std::optional<Outcome> poll(std::chrono::milliseconds patience);
  void stop() { stop_.request_stop(); }

 private:
  Outcome choose() const;
  Outcome by_verdict(const Verdict& verdict) const;

  const ResolvedRequest& request_;
  std::vector<LaneResult> lanes_ = {};
  std::vector<int32_t> finish_order_ = {};
  std::stop_source stop_;
  std::future<Verdict> verdict_;  // waits for the verifier when it goes away, so that is stopped first
};

}  // namespace lanerope::engine
