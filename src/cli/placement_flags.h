// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "lanerope/model.h"

namespace lanerope::cli {

// The options that say on which devices a model lies, with llama.cpp's names: --device, -ngl, -sm, -ts, -mg,
// -ot.
struct PlacementFlags {
  std::string device = "cpu";
  int32_t gpu_layers = -1;
  SplitMode split_mode = SplitMode::layer;
  std::vector<float> tensor_split = {};
  int32_t main_gpu = -1;
  std::string override_tensor = {};
};

// Thrown while options are parsed, where --list-devices is one of them.
struct ListOfDevices : CLI::Success {};
std::string list_of_devices();

void add_placement_flags(CLI::App& app, PlacementFlags& flags, const std::string& group);

// Whether any of them is given a meaning that is not the CPU alone.
bool has_placement(const PlacementFlags& flags);
void set_placement(ModelOptions& options, const PlacementFlags& flags);

}  // namespace lanerope::cli
