// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lanerope/coupling.h"
#include "lanerope/request.h"
#include "server/api_request.h"
#include "server/served_models.h"

namespace lanerope::cli {

// The operator's lanes: what clients get that say nothing of lanes.
struct ServeLanes {
  std::optional<int32_t> lanes = {};
  std::optional<CouplingKind> coupling = {};
  std::optional<SelectionKind> select = {};
  std::optional<VoteWeight> vote_weight = {};
  std::optional<server::ReturnedLanes> returned = {};
  std::optional<int32_t> consensus = {};
  std::vector<std::string> policies = {};
  std::string presets = {};  // a file
};

void add_serve_lane_flags(CLI::App& app, ServeLanes& flags);

// Throws InvalidRequest for what no request could ask for, SystemError where the file cannot be read.
server::Presets presets_of(const ServeLanes& flags);

}  // namespace lanerope::cli
