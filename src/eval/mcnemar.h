// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "eval/outcome.h"

namespace lanerope::eval {

// McNemar's test on pass@1: whether questions on which an arm is right more often than the other are as many,
// and by as much, one way as the other. With one answer a question it is the exact test; with several, of
// lanes or of places, the sign of each question's difference is flipped in all ways, which is the same test
// where a question may differ by a share.
struct McNemar {
  int64_t first_alone = 0;  // questions on which answers of the first arm are right more often
  int64_t second_alone = 0;
  double p = 1;       // two-sided
  bool exact = true;  // false: by the chi-squared distribution, where there are too many ways to count
};

// `first`, `second`: one a question. Questions may have different numbers of answers.
McNemar mcnemar(std::span<const Tally> first, std::span<const Tally> second);

}  // namespace lanerope::eval
