// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace lanerope::eval {

// A mean with its 95 % interval.
struct Estimate {
  double value = 0;
  double low = 0;
  double high = 0;
};

// Draws questions with replacement; the interval is the 2.5th to the 97.5th percentile of the means. The same
// draws for every column, so that equal columns get equal intervals and differences are paired.
class Bootstrap {
 public:
  struct Options {
    int32_t resamples = 2000;
    uint64_t seed = 1;
  };
  Bootstrap(size_t questions, const Options& options);

  // `values`: one a question.
  Estimate share(std::span<const double> values) const;

  // Of all resamples, those whose mean is above 0.
  double share_above_zero(std::span<const double> values) const;

 private:
  std::vector<double> means_of(std::span<const double> values) const;

  std::vector<std::vector<uint32_t>> samples_;  // [resamples][questions]
};

double mean(std::span<const double> values);

}  // namespace lanerope::eval
