// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>

#include "lanerope/lane_result.h"

namespace lanerope::engine {

// What Certainty has of one sampled token.
struct TokenCertainty {
  double self_certainty = 0;
  double of_likeliest = 0;  // negative mean log-probability of the likeliest tokens
};

// Makes the certainty of a lane of those of its tokens, as they come.
class CertaintyMeter {
 public:
  // `window` in tokens, at least 1.
  explicit CertaintyMeter(int32_t window) : window_(static_cast<size_t>(window)) {}

  void add(const TokenCertainty& token);
  // All zero without tokens.
  Certainty result() const;

 private:
  size_t window_;
  std::deque<double> last_ = {};  // at most `window_` of them
  double sum_of_last_ = 0;
  double lowest_ = 0;  // mean of a full window; of none yet: not looked at
  double sum_self_certainty_ = 0;
  int64_t count_ = 0;
};

}  // namespace lanerope::engine
