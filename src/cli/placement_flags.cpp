// SPDX-License-Identifier: Apache-2.0
#include "cli/placement_flags.h"

#include <algorithm>

#include "cli/format.h"
#include "cli/worker_flags.h"
#include "lanerope/devices.h"
#include "lanerope/errors.h"
#include "lanerope/workers.h"

namespace lanerope::cli {

namespace {

// "3,1", or "3/1" as llama.cpp takes it too.
std::vector<float> proportions_of(const std::string& text) {
  std::vector<float> proportions;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find_first_of(",/", begin), text.size());
    const std::string part = text.substr(begin, end - begin);
    float value = 0;
    if (!CLI::detail::lexical_cast(part, value)) {
      throw CLI::ValidationError("--tensor-split",
                                 "'" + part + "' is no number; give one for each device, such as 3,1");
    }
    proportions.push_back(value);
    begin = end + 1;
  }
  return proportions;
}

SplitMode split_mode_of(const std::string& word) {
  if (word == "row") {
    throw CLI::ValidationError(
        "--split-mode",
        "'row' would cut each matrix over the devices, which lanerope does not do; use layer");
  }
  if (const auto mode = parse<SplitMode>(word)) return *mode;
  throw CLI::ValidationError("--split-mode", "'" + word + "' is not " + list_names<SplitMode>());
}

bool on_cpu(const PlacementFlags& flags) {
  return flags.device == "cpu" || (flags.device.empty() && flags.workers.empty());
}

}  // namespace

void add_placement_flags(CLI::App& app, PlacementFlags& flags, const std::string& group) {
  app.add_option(
         "--device", flags.device,
         "Where to compute: cpu, or ggml devices with commas between them, over which layers are split")
      ->type_name("NAME,...")
      ->default_str("cpu")
      ->group(group);
  add_worker_flag(app, flags.workers, group.c_str());
  app.add_option("--gpu-layers,--n-gpu-layers", flags.gpu_layers,
                 "So many of the last layers on the devices, the output being one; the others on the CPU "
                 "(default: all)")
      ->type_name("N")
      ->check(CLI::Range(-1, 1 << 20))
      ->group(group);
  app.add_option_function<std::string>(
         "--split-mode", [&flags](const std::string& word) { flags.split_mode = split_mode_of(word); },
         "layer: whole layers on each device; none: all on one, --main-gpu (default: layer)")
      ->type_name("none|layer")
      ->group(group);
  app.add_option_function<std::string>(
         "--tensor-split", [&flags](const std::string& text) { flags.tensor_split = proportions_of(text); },
         "Proportions in which layers go to the devices, such as 3,1 (default: the memory that is free on "
         "each)")
      ->type_name("N,N,...")
      ->group(group);
  app.add_option("--main-gpu", flags.main_gpu,
                 "The device of --split-mode none, counted from 0 among those of --device (default: 0)")
      ->type_name("I")
      ->check(CLI::NonNegativeNumber)
      ->group(group);
  app.add_option_function<std::vector<std::string>>(
         "--override-tensor",
         [&flags](const std::vector<std::string>& all) {
           for (const std::string& one : all)
             flags.override_tensor += (flags.override_tensor.empty() ? "" : ",") + one;
         },
         "Tensors in whose name a regular expression is found lie on that device: CPU, or one of --device; "
         "repeatable")
      ->type_name("PATTERN=DEVICE,...")
      ->allow_extra_args(false)
      ->take_all()
      ->group(group);
  app.add_flag_callback(
         "--list-devices", [&flags] { throw ListOfDevices(flags.workers); },
         "Print the devices, and that is all")
      ->group(group);
}

std::string list_of_devices(const std::vector<std::string>& workers) {
  add_workers(workers);
  std::vector<std::vector<std::string>> table = {{"device", "memory", "free", ""}};
  for (const DeviceInfo& device : devices()) {
    table.push_back({device.name, bytes_text(static_cast<double>(device.memory_total)),
                     bytes_text(static_cast<double>(device.memory_free)), device.description});
  }
  return table_text(table);
}

bool has_placement(const PlacementFlags& flags) {
  return !on_cpu(flags) || flags.gpu_layers > 0 || flags.split_mode == SplitMode::none ||
         !flags.tensor_split.empty() || flags.main_gpu >= 0 || !flags.override_tensor.empty();
}

void set_placement(ModelOptions& options, const PlacementFlags& flags) {
  if (flags.split_mode == SplitMode::none && (on_cpu(flags) || flags.device == "none"))
    throw InvalidRequest(
        "--split-mode is about devices that are not the CPU; name them with --device, out of those that "
        "--list-devices shows");
  options.device = flags.device;
  options.workers = flags.workers;
  options.gpu_layers = flags.gpu_layers;
  options.split_mode = flags.split_mode;
  options.tensor_split = flags.tensor_split;
  options.main_gpu = flags.main_gpu;
  options.override_tensor = flags.override_tensor;
}

}  // namespace lanerope::cli
