// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "lanerope/coupling.h"

namespace lanerope::cli {

// The options that say how lanes see one another; each is unset unless it was given.
struct CouplingFlags {
  CouplingChoice choice;  // its omega is still in the file
  std::string omega_file;
};

void add_coupling_flags(CLI::App& app, CouplingFlags& flags);

// A JSON array of numbers, or one number a line.
std::vector<float> read_omega(const std::string& file);

}  // namespace lanerope::cli
