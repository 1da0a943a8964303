// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "engine/external_call.h"
#include "lanerope/result.h"

namespace lanerope::engine {

// A verifier is an external command that reads one JSON line a lane {"lane", "prompt", "text", "answer"} and
// writes one number a line, in the same order.
std::string verifier_input(const std::string& prompt, const std::vector<LaneResult>& lanes);

// What the verifier said: a score a lane, or the sentence that says why there is none.
struct Verdict {
  std::vector<double> scores = {};
  std::string failure = {};
};
Verdict read_verdict(const CallResult& result, size_t n_lanes);

}  // namespace lanerope::engine
