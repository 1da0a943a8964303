// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace lanerope::eval {

// An answer that is claimed to be right with some confidence, and whether it is: a share of it for a tie, or
// where it is a list.
struct Claim {
  double confidence = 0;  // 0 to 1
  double right = 0;
};

// Of claims of about the same confidence, how many are right.
struct ReliabilityBin {
  double confidence = 0;  // mean
  double right = 0;       // share
  int64_t count = 0;
};

struct Reliability {
  double error = 0;  // expected calibration error: |confidence - right| of each bin, weighted with its claims
  std::vector<ReliabilityBin> bins = {};  // those that hold claims, of ten of equal width
};

Reliability reliability_of(std::span<const Claim> claims);

}  // namespace lanerope::eval
