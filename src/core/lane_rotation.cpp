// SPDX-License-Identifier: Apache-2.0
#include "core/lane_rotation.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numbers>

namespace lanerope::core {

std::vector<double> initial_omega(std::span<const double> theta, const OmegaParameters& p) {
  assert(p.init != OmegaInit::given);
  const auto pairs = static_cast<double>(theta.size());
  const double context = std::max(1, p.trained_context);
  // ntk: s = 1 is gt; the default keeps the whole span of lanes within the trained context for the slowest
  // pair.
  const double s = std::max(1.0, p.stride * (p.lanes - 1) / context);
  // ntk-by-parts: YaRN's ramp over the rotations that a pair makes within the trained context.
  constexpr double alpha = 1;
  constexpr double beta = 32;

  std::vector<double> omega(theta.size());
  for (size_t t = 0; t < theta.size(); ++t) {
    double share = 0;
    switch (p.init) {
      case OmegaInit::rope:
      case OmegaInit::given:
        break;
      case OmegaInit::gt:
        share = 1;
        break;
      case OmegaInit::ntk:
        share = pairs > 1 ? std::pow(s, -static_cast<double>(t) / (pairs - 1)) : 1;
        break;
      case OmegaInit::ntk_by_parts: {
        const double rotations = context * theta[t] / (2 * std::numbers::pi);
        share = std::clamp((rotations - alpha) / (beta - alpha), 0.0, 1.0);
        break;
      }
    }
    omega[t] = share * p.stride * theta[t];
  }
  return omega;
}

std::span<const double> ClassFrequencies::omega_of_layer(int32_t layer) const {
  const size_t pairs = theta.size();
  if (omega.size() == pairs) return omega;
  assert(omega.size() >= (layer + 1) * pairs);
  return std::span(omega).subspan(layer * pairs, pairs);
}

}  // namespace lanerope::core
