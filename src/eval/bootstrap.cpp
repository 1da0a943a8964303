// SPDX-License-Identifier: Apache-2.0
#include "eval/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

namespace lanerope::eval {

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) /
         static_cast<double>(std::max<size_t>(values.size(), 1));
}

Bootstrap::Bootstrap(size_t questions, const Options& options) {
  std::mt19937_64 draw(options.seed);
  samples_.resize(static_cast<size_t>(options.resamples));
  for (std::vector<uint32_t>& sample : samples_) {
    sample.resize(questions);
    for (uint32_t& index : sample) index = static_cast<uint32_t>(draw() % questions);
  }
}

std::vector<double> Bootstrap::means_of(std::span<const double> values) const {
  std::vector<double> means;
  means.reserve(samples_.size());
  for (const std::vector<uint32_t>& sample : samples_) {
    double sum = 0;
    for (const uint32_t index : sample) sum += values[index];
    means.push_back(sum / static_cast<double>(sample.size()));
  }
  return means;
}

double Bootstrap::share_above_zero(std::span<const double> values) const {
  std::vector<double> above;
  for (const double resampled : means_of(values)) above.push_back(resampled > 0 ? 1 : 0);
  return mean(above);
}

Estimate Bootstrap::share(std::span<const double> values) const {
  std::vector<double> means = means_of(values);
  std::ranges::sort(means);
  const auto at = [&](double place) {
    return means[static_cast<size_t>(std::lround(place * static_cast<double>(means.size() - 1)))];
  };
  return {.value = mean(values), .low = at(0.025), .high = at(0.975)};
}

}  // namespace lanerope::eval
