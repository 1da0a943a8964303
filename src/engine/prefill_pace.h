// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace lanerope::engine {

// How many tokens of prompts a step may read beside lanes that write, so that their next tokens do not wait
// longer than a bound. It learns from steps: one that took twice as long as it may is followed by half as
// many.
class PrefillPace {
 public:
  // longest_step: seconds; 0: no bound. batch_rows: tokens of a step at most.
  PrefillPace(double longest_step, int32_t batch_rows);

  // Tokens for prompts in a step that feeds `lane_rows` lanes; at least one unless there is no room at all.
  int32_t prompt_rows(int32_t lane_rows) const;
  struct Step {
    int32_t lane_rows = 0;
    int32_t prompt_rows = 0;
    double seconds = 0;
  };
  void took(const Step& step);

 private:
  double longest_step_;
  int32_t batch_rows_;
  double rows_;
};

}  // namespace lanerope::engine
