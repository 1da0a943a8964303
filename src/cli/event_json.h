// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include "lanerope/result.h"

namespace lanerope::cli {

// One line of `run --json`. Lanes and steps count from 0; what an event does not have is left out.
nlohmann::ordered_json to_json(const Event& event);
nlohmann::ordered_json to_json(const GroupResult& result);

}  // namespace lanerope::cli
