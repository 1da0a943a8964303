// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <regex>
#include <span>
#include <string>
#include <vector>

#include "arch/model_config.h"
#include "arch/tensor_source.h"
#include "lanerope/devices.h"
#include "lanerope/engine_options.h"  // KvType
#include "lanerope/model.h"
#include "model/device.h"

namespace lanerope::model {

// Tensors whose name in the file the pattern finds lie on the device, whatever layer they are of.
struct TensorOverride {
  std::string text = {};  // of the pattern
  std::regex pattern = {};
  int32_t device = cpu_device;
};

// On which device everything lies: an index into Devices, or cpu_device. KV cells lie with their layer.
struct Placement {
  std::vector<int32_t> layers = {};  // [n_layer + 1]: the output counts as the last one
  std::vector<TensorOverride> overrides = {};

  // Of the tensor with this name in the file. Layer n_layer is the output, -1 the embedding, which stays on
  // the CPU: a step reads a few rows of it.
  int32_t of_tensor(const std::string& name_in_file, int32_t layer) const;
};

// The layer that a tensor of a file goes with. A tied output is the embedding once more, in layer n_layer.
int32_t layer_of_tensor(const std::string& name, int32_t n_layer);

// What ModelOptions::device, split_mode and main_gpu ask for: names of devices, none for the CPU alone.
// Throws InvalidRequest where they contradict one another.
std::vector<std::string> wanted_devices(const ModelOptions& options);

// The devices of n_layers layers, of which the last `gpu_layers` go to devices in proportion to `shares`, in
// their order: at least one share, none negative and not all zero.
struct LayerSplit {
  int32_t n_layers = 0;
  int32_t gpu_layers = 0;
};
std::vector<int32_t> split_layers(LayerSplit split, std::span<const double> shares);

// What a model is, for placing it.
struct PlacedModel {
  const arch::ModelConfig& config;
  const arch::TensorSource& tensors;
};

// Where `devices` hold the model, as the options want it. Throws InvalidRequest for proportions that do not
// go with the devices, and for an override that is no pattern, matches nothing or names another device.
Placement place_model(const ModelOptions& options, std::span<const DeviceInfo> devices,
                      const PlacedModel& model);

// Whether some experts' matrices of a layer are on the CPU and others of the same layer are not.
bool splits_experts(const Placement& placement, const PlacedModel& model);

// Bytes that a placement wants of each device.
struct DeviceNeed {
  size_t weight_bytes = 0;
  size_t kv_bytes = 0;
};
struct CellNeed {
  int64_t n_cells = 0;
  KvType type = KvType::f16;
};
// [devices + 1], the CPU first.
std::vector<DeviceNeed> needs(const Placement& placement, size_t n_devices, const PlacedModel& model,
                              const CellNeed& cells);

// Whether each device's free memory holds what is needed of it, as far as its driver says how much that is.
bool fits(std::span<const DeviceNeed> needs, std::span<const DeviceInfo> devices);

// The most layers, fewer than the options want, with which the model fits; nothing where no number would do.
std::optional<int32_t> fitting_gpu_layers(const ModelOptions& options, std::span<const DeviceInfo> devices,
                                          const PlacedModel& model, const CellNeed& cells);

}  // namespace lanerope::model
