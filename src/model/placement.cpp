// SPDX-License-Identifier: Apache-2.0
#include "model/placement.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "arch/tensor_table.h"
#include "lanerope/errors.h"
#include "lanerope/workers.h"
#include "model/kv_pool.h"
#include "model/workers.h"

namespace lanerope::model {

namespace {

std::vector<std::string> parts_of(const std::string& text) {
  std::vector<std::string> parts;
  size_t begin = 0;
  for (size_t end = 0; end != std::string::npos; begin = end + 1) {
    end = text.find(',', begin);
    parts.push_back(text.substr(begin, end == std::string::npos ? end : end - begin));
  }
  return parts;
}

bool means_cpu(const std::string& device) {
  return device == "cpu" || device == "CPU";
}

// One tensor of the model, as it lies in the file.
struct TensorPlace {
  const gguf::TensorInfo* info;
  std::string name_in_file;
  int32_t layer;
};

// All tensors of the model that the file has, a tied output as one of its own.
std::vector<TensorPlace> tensors_of(const PlacedModel& model) {
  std::vector<TensorPlace> all;
  const int32_t n_layer = model.config.n_layer();
  const auto add = [&](const std::string& name, int32_t layer) {
    const gguf::TensorInfo* info = model.tensors.find(name);
    if (info != nullptr)
      all.push_back({.info = info, .name_in_file = model.tensors.name_in_file(name), .layer = layer});
  };
  for (const arch::TensorSpec& spec : arch::tensor_table(model.config)) {
    if (spec.bias) continue;  // comes with its linear
    add(spec.name, layer_of_tensor(spec.name, n_layer));
    if (spec.linear || spec.experts) {
      const std::string bias = arch::tensor_stem(spec.role, spec.layer) + ".bias";
      add(bias, layer_of_tensor(bias, n_layer));
    }
  }
  if (model.config.tied) add("token_embd.weight", n_layer);
  return all;
}

// Empty: the CPU alone.
std::vector<std::string> named_devices(const ModelOptions& options) {
  add_workers(options.workers);
  const std::string& device = options.device;
  if (device.empty() && !options.workers.empty()) return remote_and_local_devices();
  if (!options.workers.empty() && device.find("RPC") == std::string::npos) {
    throw InvalidRequest("workers compute nothing where the device is " + device +
                         "; leave --device out, or name theirs: RPC0, RPC1, ...");
  }
  if (device.empty() || means_cpu(device) || device == "none") return {};
  return parts_of(device);
}

int32_t find_buffer(const std::string& name, std::span<const DeviceInfo> devices) {
  if (means_cpu(name)) return cpu_device;
  const auto found = std::ranges::find(devices, name, &DeviceInfo::name);
  if (found != devices.end()) return static_cast<int32_t>(found - devices.begin());
  std::string known = "CPU";
  for (const DeviceInfo& device : devices) known += ", " + device.name;
  throw InvalidRequest("--override-tensor names \"" + name + "\", and the model is on " + known +
                       "; a device must be one of --device");
}

std::vector<TensorOverride> parse_overrides(const std::string& text, std::span<const DeviceInfo> devices) {
  std::vector<TensorOverride> overrides;
  if (text.empty()) return overrides;
  for (const std::string& part : parts_of(text)) {
    const size_t equals = part.rfind('=');
    if (equals == std::string::npos || equals == 0) {
      throw InvalidRequest("--override-tensor: '" + part +
                           "' is not PATTERN=DEVICE; a pattern cannot have a comma");
    }
    TensorOverride fresh{.text = part.substr(0, equals)};
    try {
      fresh.pattern = std::regex(fresh.text);
    } catch (const std::regex_error&) {
      throw InvalidRequest("--override-tensor: '" + fresh.text + "' is not a regular expression");
    }
    fresh.device = find_buffer(part.substr(equals + 1), devices);
    overrides.push_back(std::move(fresh));
  }
  return overrides;
}

void check_overrides(const Placement& placement, const PlacedModel& model) {
  if (placement.overrides.empty()) return;
  const std::vector<TensorPlace> tensors = tensors_of(model);
  for (const TensorOverride& of : placement.overrides) {
    const bool found = std::ranges::any_of(tensors, [&](const TensorPlace& tensor) {
      return std::regex_search(tensor.name_in_file, of.pattern);
    });
    if (!found) {
      throw InvalidRequest("--override-tensor: '" + of.text +
                           "' is in the name of no tensor of the model; inspect --tensors lists them");
    }
  }
}

// In proportion to what was asked for, or to the free memory; equal where nobody says how much that is.
std::vector<double> shares_of(const ModelOptions& options, std::span<const DeviceInfo> devices) {
  std::vector<double> shares(options.tensor_split.begin(), options.tensor_split.end());
  if (!shares.empty()) {
    const bool sound = std::ranges::all_of(shares, [](double s) { return std::isfinite(s) && s >= 0; }) &&
                       std::ranges::any_of(shares, [](double s) { return s > 0; });
    if (!sound)
      throw InvalidRequest("--tensor-split takes proportions of at least 0, not all of them 0, such as 3,1");
    if (shares.size() != devices.size()) {
      throw InvalidRequest("--tensor-split has " + std::to_string(shares.size()) + " proportions for " +
                           std::to_string(devices.size()) + (devices.size() == 1 ? " device" : " devices") +
                           "; give one for each of --device");
    }
    return shares;
  }
  const bool known =
      std::ranges::all_of(devices, [](const DeviceInfo& device) { return device.memory_free > 0; });
  for (const DeviceInfo& device : devices)
    shares.push_back(known ? static_cast<double>(device.memory_free) : 1.0);
  return shares;
}

}  // namespace

int32_t layer_of_tensor(const std::string& name, int32_t n_layer) {
  if (name.starts_with("blk.")) return std::stoi(name.substr(4));
  return name.starts_with("token_embd") ? -1 : n_layer;
}

int32_t Placement::of_tensor(const std::string& name_in_file, int32_t layer) const {
  for (const TensorOverride& of : overrides) {
    if (std::regex_search(name_in_file, of.pattern)) return of.device;
  }
  return layer < 0 ? cpu_device : layers[layer];
}

std::vector<std::string> wanted_devices(const ModelOptions& options) {
  std::vector<std::string> names = named_devices(options);
  if (names.size() > 1 && std::ranges::any_of(names, means_cpu)) {
    throw InvalidRequest(
        "the CPU is always there, for what --gpu-layers and --override-tensor leave to it; name the other "
        "devices alone with --device");
  }
  if (names.empty()) {
    const char* option = options.gpu_layers > 0          ? "--gpu-layers"
                         : !options.tensor_split.empty() ? "--tensor-split"
                         : options.main_gpu >= 0         ? "--main-gpu"
                                                         : nullptr;
    if (option == nullptr) return names;
    throw InvalidRequest(std::string(option) +
                         " is about devices that are not the CPU; name them with --device, out of those that "
                         "--list-devices shows");
  }
  const int32_t main = std::max(0, options.main_gpu);
  if (main >= std::ssize(names)) {
    throw InvalidRequest("--main-gpu " + std::to_string(main) +
                         " is behind the last device; --device names " + std::to_string(names.size()) +
                         ", counted from 0");
  }
  if (options.split_mode == SplitMode::none) {
    if (!options.tensor_split.empty())
      throw InvalidRequest("--tensor-split splits over devices, which --split-mode none does not");
    return {names[main]};
  }
  if (options.main_gpu >= 0 && names.size() > 1) {
    throw InvalidRequest(
        "--main-gpu is the one device of --split-mode none; with layers split over all of "
        "them none is the main one");
  }
  return names;
}

std::vector<int32_t> split_layers(LayerSplit split, std::span<const double> shares) {
  const int32_t on_devices = std::clamp(split.gpu_layers, 0, split.n_layers);
  const int32_t first = split.n_layers - on_devices;
  std::vector<int32_t> layers(split.n_layers, cpu_device);
  if (on_devices == 0 || shares.empty()) return layers;
  std::vector<double> ends(shares.size());  // of each device's part of [0, 1)
  std::partial_sum(shares.begin(), shares.end(), ends.begin());
  for (int32_t layer = first; layer < split.n_layers; ++layer) {
    const double at = ends.back() * (layer - first) / on_devices;
    layers[layer] = static_cast<int32_t>(std::ranges::upper_bound(ends, at) - ends.begin());
  }
  return layers;
}

Placement place_model(const ModelOptions& options, std::span<const DeviceInfo> devices,
                      const PlacedModel& model) {
  const int32_t n_layers = model.config.n_layer() + 1;
  Placement placement{.layers = std::vector<int32_t>(n_layers, cpu_device),
                      .overrides = parse_overrides(options.override_tensor, devices)};
  check_overrides(placement, model);
  if (devices.empty()) return placement;
  const int32_t gpu_layers = options.gpu_layers < 0 ? n_layers : options.gpu_layers;
  placement.layers =
      split_layers({.n_layers = n_layers, .gpu_layers = gpu_layers}, shares_of(options, devices));
  return placement;
}

bool splits_experts(const Placement& placement, const PlacedModel& model) {
  using arch::Role;
  for (int32_t layer = 0; layer < model.config.n_layer(); ++layer) {
    if (!model.config.layers[layer].ffn.has_experts()) continue;
    int32_t on_cpu = 0;
    constexpr std::array roles = {Role::ffn_gate_exps, Role::ffn_up_exps, Role::ffn_down_exps};
    for (const Role role : roles) {
      const std::string name = arch::tensor_stem(role, layer) + ".weight";
      if (placement.of_tensor(model.tensors.name_in_file(name), layer) == cpu_device) ++on_cpu;
    }
    if (on_cpu > 0 && on_cpu < std::ssize(roles)) return true;
  }
  return false;
}

std::vector<DeviceNeed> needs(const Placement& placement, size_t n_devices, const PlacedModel& model,
                              const CellNeed& cells) {
  std::vector<DeviceNeed> all(n_devices + 1);
  for (const TensorPlace& tensor : tensors_of(model)) {
    const int32_t device = placement.of_tensor(tensor.name_in_file, tensor.layer);
    // Beside the embedding on the CPU a tied output takes no more: both are the mapped file.
    const bool again = tensor.name_in_file == "token_embd.weight" && tensor.layer >= 0 &&
                       device == placement.of_tensor(tensor.name_in_file, -1);
    if (!again) all[device + 1].weight_bytes += tensor.info->bytes;
  }
  for (int32_t layer = 0; layer < model.config.n_layer(); ++layer) {
    const int64_t width = model.config.layers[layer].attention.kv_width();
    all[placement.layers[layer] + 1].kv_bytes +=
        2 * ggml_row_size(ggml_kv_type(cells.type), width) * static_cast<size_t>(cells.n_cells);
  }
  return all;
}

bool fits(std::span<const DeviceNeed> needs, std::span<const DeviceInfo> devices) {
  for (size_t i = 0; i < devices.size(); ++i) {
    const DeviceNeed& need = needs[i + 1];
    if (devices[i].memory_free > 0 && need.weight_bytes + need.kv_bytes > devices[i].memory_free)
      return false;
  }
  return true;
}

std::optional<int32_t> fitting_gpu_layers(const ModelOptions& options, std::span<const DeviceInfo> devices,
                                          const PlacedModel& model, const CellNeed& cells) {
  const int32_t n_layers = model.config.n_layer() + 1;
  ModelOptions fewer = options;
  for (int32_t n = std::min(options.gpu_layers < 0 ? n_layers : options.gpu_layers, n_layers) - 1; n >= 0;
       --n) {
    fewer.gpu_layers = n;
    if (fits(needs(place_model(fewer, devices, model), devices.size(), model, cells), devices)) return n;
  }
  return std::nullopt;
}

}  // namespace lanerope::model
