// SPDX-License-Identifier: Apache-2.0
#include "engine/prefill_pace.h"

#include <algorithm>

namespace lanerope::engine {

namespace {

// A prompt is read on, however long a step takes: products of fewer rows cost as much as of these.
constexpr double fewest_rows = 16;

}  // namespace

PrefillPace::PrefillPace(double longest_step, int32_t batch_rows)
    : longest_step_(longest_step), batch_rows_(batch_rows), rows_(std::min<double>(batch_rows, 64)) {}

int32_t PrefillPace::prompt_rows(int32_t lane_rows) const {
  const int32_t room = std::max(batch_rows_ - lane_rows, 0);
  if (longest_step_ <= 0 || lane_rows == 0) return room;
  return std::min(room, static_cast<int32_t>(rows_));
}

void PrefillPace::took(const Step& step) {
  // Only a step that had as many as it might have says whether that was too many.
  const bool full = step.prompt_rows >= static_cast<int32_t>(rows_);
  if (longest_step_ <= 0 || step.lane_rows == 0 || step.seconds <= 0 || !full) return;
  const double change = std::clamp(longest_step_ / step.seconds, 0.5, 1.5);
  rows_ = std::clamp(rows_ * change, std::min<double>(fewest_rows, batch_rows_),
                     static_cast<double>(batch_rows_));
}

}  // namespace lanerope::engine
