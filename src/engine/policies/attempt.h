// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "lanerope/errors.h"

namespace lanerope::engine {

// Does an act that may be refused, which is told as an event and is no reason for the group to end. Whether
// it was done.
inline bool attempt(const std::function<void()>& act) {
  try {
    act();
    return true;
  } catch (const InvalidRequest&) {
    return false;
  } catch (const DoesNotFit&) {
    return false;
  }
}

}  // namespace lanerope::engine
