// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "lanerope/model.h"

namespace lanerope::cli {

// The options that say on which devices a model lies, with llama.cpp's names: --device, -ngl, -sm, -ts, -mg,
// -ot, and --rpc.
struct PlacementFlags {
  std::string device = {};  // empty: the CPU, or with workers all that is not
  std::vector<std::string> workers = {};
  int32_t gpu_layers = -1;
  SplitMode split_mode = SplitMode::layer;
  std::vector<float> tensor_split = {};
  int32_t main_gpu = -1;
  std::string override_tensor = {};
};

// Thrown while options are parsed, where --list-devices is one of them.
struct ListOfDevices : CLI::Success {
  explicit ListOfDevices(std::vector<std::string> of_workers) : workers(std::move(of_workers)) {}
  std::vector<std::string> workers;
};
std::string list_of_devices(const std::vector<std::string>& workers);

void add_placement_flags(CLI::App& app, PlacementFlags& flags, const std::string& group);

// Whether any of them is given a meaning that is not the CPU alone.
bool has_placement(const PlacementFlags& flags);
// Throws InvalidRequest for a way to split over devices where there are none.
void set_placement(ModelOptions& options, const PlacementFlags& flags);

}  // namespace lanerope::cli
