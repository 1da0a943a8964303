// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "lanerope/coupling.h"

namespace lanerope::core {

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
