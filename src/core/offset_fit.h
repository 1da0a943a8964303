// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/lane_rotation.h"

namespace lanerope::core {

// A row and a segment that it sees, and by what the row is rotated before it meets the segment's keys.
struct Meeting {
  int32_t row = 0;
  int32_t segment = 0;
  Offset offset = {};
  bool of_prompt = false;  // the segment is the prompt, maybe a long one
};

// Meetings whose offsets are phi = a - b, a of the row and b of the segment: <R(a - b) q, k> = <R(a) q, R(b)
// k>, so that one product of all rows with all keys gives them at once.
//
//   lanerope, N = 3      lane 0  lane 1  lane 2    prompt
//            lane 0         0     -1      -2          0        a = lane of the row, b = lane of the segment:
//            lane 1         1      0      -1          0        one variant. The prompt, with b = 0 and a = 0,
//            lane 2         2      1       0          0        is another.
//
struct Variant {
  std::vector<Offset> of_rows = {};      // [n_rows] a
  std::vector<Offset> of_segments = {};  // [n_segments] b
  std::vector<Meeting> meetings = {};
};

// What is fitted, and with how many variants at most.
struct FitLimits {
  int32_t n_rows = 0;
  int32_t n_segments = 0;
  int32_t most_variants = 0;
};

// As few variants as a greedy search finds; empty where there are meetings and `most_variants` do not hold
// them. The prompt is of one variant alone.
std::vector<Variant> fit_offsets(std::span<const Meeting> meetings, const FitLimits& limits);

}  // namespace lanerope::core
