// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "lanerope/inspect.h"

namespace lanerope::cli {

// What `inspect` says of where a model goes.
std::string placement_text(const PlacementInfo& placement);
nlohmann::ordered_json placement_json(const PlacementInfo& placement);

}  // namespace lanerope::cli
