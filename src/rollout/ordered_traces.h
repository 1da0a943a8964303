// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <utility>

#include "data/trace.h"
#include "rollout/rollout.h"

namespace lanerope::rollout {

// Traces that are finished in any order and handed over in that of their jobs.
class OrderedTraces {
 public:
  explicit OrderedTraces(const TraceSink& sink) : sink_(sink) {}

  void put(size_t job, data::Trace trace) {
    waiting_.emplace(job, std::move(trace));
    for (auto first = waiting_.begin(); first != waiting_.end() && first->first == handed_over_;
         first = waiting_.erase(first), ++handed_over_) {
      sink_(first->second);
    }
  }

 private:
  const TraceSink& sink_;
  std::map<size_t, data::Trace> waiting_;
  size_t handed_over_ = 0;
};

}  // namespace lanerope::rollout
