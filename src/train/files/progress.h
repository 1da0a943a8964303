// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace lanerope::train {

// Where a training run stands.
struct TrainingProgress {
  int64_t step = 0;        // steps done
  int64_t steps = 0;       // in all
  int64_t first_step = 0;  // with which this process began, not 0 where it resumed
  double seconds = 0;      // of this process, for step - first_step steps
  double loss = 0;         // nats a token
  double tokens_per_second = 0;
  std::map<std::string, double> extra = {};  // behind the rest, by name
};

// "step  1,250/10,000   12.5 %  loss 1.2034  18.3 k tokens/s  58 min 20 s left". What is not known yet (the
// time left before the first step) is left out. Numbers stand in columns of the same width from step to step,
// as far as they are of the same size.
std::string progress_line(const TrainingProgress& progress);

// "45 s", "12 min 05 s", "1 h 02 min", "3 d 04 h". Of what is no length of time: "?".
std::string duration_text(double seconds);

}  // namespace lanerope::train
