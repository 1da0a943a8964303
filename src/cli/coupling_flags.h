// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "lanerope/coupling.h"

namespace lanerope::cli {

// The options that say how lanes see one another; each is unset unless it was given.
struct CouplingFlags {
  std::optional<CouplingKind> kind;
  std::optional<OmegaInit> init;
  std::optional<int32_t> stride;
  std::optional<int32_t> window;
  std::optional<Visibility> visibility;
  std::optional<Topology> topology;
  std::optional<PromptLane> prompt_lane;
  std::string omega_file;
  bool force = false;
};

void add_coupling_flags(CLI::App& app, CouplingFlags& flags);

// A JSON array of numbers, or one number a line.
std::vector<float> read_omega(const std::string& file);

}  // namespace lanerope::cli
