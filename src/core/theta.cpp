// SPDX-License-Identifier: Apache-2.0
#include "core/theta.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numbers>

namespace lanerope::core {

namespace {

// The pair (as a real number) that rotations `rotations` times within the original context.
double pair_of_rotations(const RopeParameters& p, double rotations) {
  return p.dimensions * std::log(p.original_context / (rotations * 2 * std::numbers::pi)) /
         (2 * std::log(p.base));
}

}  // namespace

Theta effective_theta(const RopeParameters& p) {
  assert(p.dimensions > 0 && p.dimensions % 2 == 0);
  const int pairs = p.dimensions / 2;
  assert(p.frequency_factors.empty() || p.frequency_factors.size() == static_cast<size_t>(pairs));

  Theta result{.theta = std::vector<double>(pairs), .magnitude = p.attention_factor};
  const double shrink = p.scaling == RopeScaling::none ? 1.0 : 1.0 / p.factor;
  double ramp_start = 0;
  double ramp_end = 0;
  if (p.scaling == RopeScaling::yarn) {
    ramp_start = std::max(0.0, std::floor(pair_of_rotations(p, p.beta_fast)));
    ramp_end = std::min(p.dimensions - 1.0, std::ceil(pair_of_rotations(p, p.beta_slow)));
    if (p.extrapolation != 0) {
      result.magnitude *= static_cast<float>((1.0 + 0.1 * std::log(p.factor)) /
                                             (1.0 + 0.1 * p.log_multiplier * std::log(p.factor)));
    }
  }

  for (int t = 0; t < pairs && p.rotates; ++t) {
    double unscaled = std::pow(static_cast<double>(p.base), -2.0 * t / p.dimensions);
    if (!p.frequency_factors.empty()) unscaled /= p.frequency_factors[t];
    double keep = 0;  // share of the unscaled frequency: 1 for pairs that rotate often, 0 for slow ones
    if (p.scaling == RopeScaling::yarn) {
      const double ramp = (t - ramp_start) / std::max(0.001, ramp_end - ramp_start);
      keep = (1 - std::clamp(ramp, 0.0, 1.0)) * p.extrapolation;
    }
    result.theta[t] = unscaled * (shrink * (1 - keep) + keep);
  }
  return result;
}

}  // namespace lanerope::core
