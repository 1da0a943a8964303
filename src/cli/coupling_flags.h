// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "lanerope/coupling.h"
#include "lanerope/model.h"

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

// Unset if no option was given: the engine then takes the first adapter's, or its default. Otherwise that
// one, changed by the options. Reads the file of --omega: throws SystemError or BadFile.
std::optional<Coupling> given_coupling(const CouplingFlags& flags, const Model& model);

// What a request without a coupling gets.
Coupling default_coupling(const Model& model);

// "lanerope, omega gt, stride 256, window 64": everything that is not the default.
std::string describe(const Coupling& coupling);

// A JSON array of numbers, or one number a line.
std::vector<float> read_omega(const std::string& file);

}  // namespace lanerope::cli
