// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "lanerope/coupling.h"

namespace lanerope::core {

// What omega is multiplied with for lanes that are `distance` = m - n apart: that distance itself as far as
// it was trained, |m - n| < T. The sign stays, and no other lane comes to distance 0, which is a lane's own.
constexpr int32_t lane_distance(const Coupling& coupling, int32_t distance) {
  const int32_t longest = coupling.trained_lanes - 1;
  switch (coupling.far_lanes) {
    case FarLanes::extrapolated:
    case FarLanes::interpolated:  // omega itself is shorter: lane_share()
      return distance;
    case FarLanes::clamped:
      return std::clamp(distance, -longest, longest);
    case FarLanes::wrapped:
      if (distance > 0) return 1 + (distance - 1) % longest;
      return distance < 0 ? -1 - (-distance - 1) % longest : 0;
  }
  return distance;
}

// What omega is multiplied with once for all lanes of a group of n_lanes.
constexpr double lane_share(const Coupling& coupling, int32_t n_lanes) {
  if (coupling.far_lanes != FarLanes::interpolated || n_lanes <= coupling.trained_lanes) return 1;
  return static_cast<double>(coupling.trained_lanes - 1) / (n_lanes - 1);
}

}  // namespace lanerope::core
