// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/compose.h"

namespace lanerope::eval {

// A problem and how a model's samples of it came out.
struct SolvedProblem {
  data::KnownProblem problem = {};  // its solutions are the right samples, in the order of the file
  int64_t samples = 0;
  int64_t right = 0;

  // Whether at least this share of the samples is right; false without samples.
  bool in_reach(double share) const {
    return samples > 0 && static_cast<double>(right) >= share * static_cast<double>(samples);
  }
};

// The problems of a file that read_questions() reads, in its order; one that stands there several times is
// one. Lanes with labels, as lanerope data rollout writes them, are samples. Solutions that could not stand
// in a lane with this writing are left out. Throws as read_questions().
std::vector<SolvedProblem> read_solved(const std::string& file, const data::LaneWriting& writing);

}  // namespace lanerope::eval
