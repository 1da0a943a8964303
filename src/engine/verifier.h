// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "lanerope/result.h"

namespace lanerope::engine {

struct VerifierOptions {
  std::string command = {};  // run by /bin/sh
  double timeout = 30;       // seconds
  std::string prompt = {};
  std::stop_token stop = {};  // asks it to give up early
};

// What the verifier said: a score a lane, or the sentence that says why there is none.
struct Verdict {
  std::vector<double> scores = {};
  std::string failure = {};
};

// Runs the command with one JSON line a lane on its standard input and reads one number a line, in the same
// order. Blocks until it ends or is killed at the time-out, with everything that it started. Never throws.
Verdict run_verifier(const VerifierOptions& options, const std::vector<LaneResult>& lanes);

}  // namespace lanerope::engine
