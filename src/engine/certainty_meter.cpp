// SPDX-License-Identifier: Apache-2.0
#include "engine/certainty_meter.h"

#include <algorithm>

namespace lanerope::engine {

void CertaintyMeter::add(const TokenCertainty& token) {
  ++count_;
  sum_self_certainty_ += token.self_certainty;
  last_.push_back(token.of_likeliest);
  sum_of_last_ += token.of_likeliest;
  if (last_.size() > window_) {
    sum_of_last_ -= last_.front();
    last_.pop_front();
  }
  if (last_.size() < window_) return;
  const double mean = sum_of_last_ / static_cast<double>(window_);
  const bool first_window = count_ == static_cast<int64_t>(window_);
  lowest_ = first_window ? mean : std::min(lowest_, mean);
}

Certainty CertaintyMeter::result() const {
  if (count_ == 0) return {};
  const bool short_lane = last_.size() < window_;
  return {.self_certainty = sum_self_certainty_ / static_cast<double>(count_),
          .lowest_window = short_lane ? sum_of_last_ / static_cast<double>(last_.size()) : lowest_};
}

}  // namespace lanerope::engine
