// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "lanerope/errors.h"

namespace lanerope::support {

// The sentence with which a call is refused.
template <typename Exception = InvalidRequest>
std::string refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const Exception& error) {
    return error.what();
  }
  return "(not refused)";
}

}  // namespace lanerope::support
