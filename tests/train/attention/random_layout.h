// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "train/attention/lane_attention.h"

namespace lanerope::train {

// Draws a group: its prompt, and lanes that begin and end at steps of their own.
struct GroupShape {
  int32_t n_prompt = 0;
  std::vector<int32_t> first = {};  // [n_lanes] step of a lane's first token
  std::vector<int32_t> last = {};   // [n_lanes] past its last; equal to first for a lane that never speaks
  int32_t second_stage = 0;         // steps of one more lane, which begins when all others have ended
};

inline void add_group(const GroupShape& shape, AttentionLayout& layout) {
  const auto first = static_cast<int64_t>(layout.lane.size());
  for (int32_t i = 0; i < shape.n_prompt; ++i) {
    layout.lane.push_back(-1);
    layout.step.push_back(i);
  }
  const int32_t end = shape.last.empty() ? 0 : *std::max_element(shape.last.begin(), shape.last.end());
  for (int32_t step = 0; step < end; ++step) {
    for (int32_t lane = 0; lane < static_cast<int32_t>(shape.last.size()); ++lane) {
      if (step < shape.first[lane] || step >= shape.last[lane]) continue;
      layout.lane.push_back(lane);
      layout.step.push_back(step);
    }
  }
  const auto so_far = [&] { return static_cast<int64_t>(layout.lane.size()) - first; };
  GroupSpan span{.first = first, .n_prompt = shape.n_prompt, .n_tokens = so_far()};
  if (shape.second_stage > 0) span.second_stage = so_far();
  for (int32_t i = 0; i < shape.second_stage; ++i) {
    layout.lane.push_back(static_cast<int32_t>(shape.last.size()));
    layout.step.push_back(end + i);
  }
  span.n_tokens = so_far();
  layout.groups.push_back(span);
}

// Lanes of up to `longest` steps; every third begins late, every fifth never speaks.
inline GroupShape random_group(std::mt19937& random, int32_t n_prompt, int32_t n_lanes, int32_t longest) {
  const auto draw = [&](int32_t below) {
    return static_cast<int32_t>(random() % static_cast<uint32_t>(below));
  };
  GroupShape shape{.n_prompt = n_prompt};
  for (int32_t lane = 0; lane < n_lanes; ++lane) {
    const int32_t first = draw(3) == 0 ? draw(longest) : 0;
    const bool idle = n_lanes > 1 && draw(5) == 0;
    shape.first.push_back(first);
    shape.last.push_back(idle ? first : first + 1 + draw(longest));
  }
  return shape;
}

}  // namespace lanerope::train
