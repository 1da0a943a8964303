// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "lanerope/engine.h"
#include "lanerope/resolve.h"

namespace lanerope {

// A group that has ended, and when it went from one part of its way to the next. Valid during the call.
struct FinishedGroup {
  using Moment = std::chrono::steady_clock::time_point;
  const GroupResult& result;
  const ResolvedRequest& request;
  const std::string& public_id;
  Moment submitted = {};  // into the queue
  Moment begun = {};      // its prompt is being read
  Moment read = {};       // its lanes write
  Moment written = {};    // their texts are judged
  Moment ended = {};
};

// What a service says of its work, for metrics. All but refused() are called on the service's thread.
class ServiceObserver {
 public:
  virtual ~ServiceObserver() = default;
  struct Step {
    double seconds = 0;
    int32_t lanes = 0;  // that were fed
  };
  virtual void step_done(const Step&) {}
  virtual void first_token(double /*seconds*/) {}
  virtual void group_finished(const FinishedGroup&) {}
  virtual void refused() {}
  virtual void state(const EngineState&) {}
};

}  // namespace lanerope
