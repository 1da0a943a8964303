// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "lanerope/coupling.h"

namespace lanerope::core {

// Whether lane m, of n_lanes, sees lane n at all.
constexpr bool sees_lane(const Coupling& coupling, int32_t m, int32_t n, int32_t n_lanes) {
  if (m == n || !sees_other_lanes(coupling.kind)) return false;
  switch (coupling.topology) {
    case Topology::all:
      return true;
    case Topology::ring: {
      const int32_t distance = m > n ? m - n : n - m;
      return distance == 1 || distance == n_lanes - 1;
    }
    case Topology::tree:
      return (m > 0 && (m - 1) / 2 == n) || (n > 0 && (n - 1) / 2 == m);
    case Topology::blocks: {
      const int32_t b = coupling.block;
      return m / b == n / b || (m % b == 0 && n % b == 0);
    }
  }
  return true;
}

// The last step of another lane that a query at `step` sees. `earlier_lane`: that lane's index is below the
// query's. The one rule of visibility: the plan of the engine, and the mask and the kernel of the trainer,
// call it.
constexpr int32_t last_seen_step(Visibility visibility, int32_t step, bool earlier_lane) {
  switch (visibility) {
    case Visibility::inclusive:
      return step;
    case Visibility::strict:
      return step - 1;
    case Visibility::interleaved:
      return earlier_lane ? step : step - 1;
  }
  return step - 1;
}

}  // namespace lanerope::core
