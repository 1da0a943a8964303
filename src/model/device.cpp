// SPDX-License-Identifier: Apache-2.0
#include "model/device.h"

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>

#include "lanerope/devices.h"
#include "lanerope/errors.h"
#include "model/graph_profile.h"

namespace lanerope::model {

namespace {

// Of the process: ggml knows its back ends once.
struct BackEnds {
  std::mutex mutex;
  std::string folder;  // empty: ggml's own
  bool loaded = false;
};

BackEnds& back_ends() {
  static BackEnds all;
  return all;
}

}  // namespace

// Finds ggml's back ends, once a process. Libraries never print: what ggml has to say about them reaches
// nobody who asked.
void load_back_ends() {
  BackEnds& all = back_ends();
  const std::lock_guard lock(all.mutex);
  if (all.loaded) return;
  ggml_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
  if (all.folder.empty()) {
    ggml_backend_load_all();
  } else {
    ggml_backend_load_all_from_path(all.folder.c_str());
  }
  all.loaded = true;
}

namespace {

// ggml's scheduler takes sixteen back ends, of which the CPU's is one.
constexpr size_t most_devices = 15;

ggml_backend_dev_t find_device(const std::string& name) {
  for (size_t i = 0; i < ggml_backend_dev_count(); ++i) {
    ggml_backend_dev_t device = ggml_backend_dev_get(i);
    if (name == ggml_backend_dev_name(device)) return device;
  }
  return nullptr;
}

}  // namespace

ContextHandle make_context(size_t n_tensors, size_t n_graph_nodes) {
  const size_t graph_bytes = n_graph_nodes > 0 ? ggml_graph_overhead_custom(n_graph_nodes, false) : 0;
  return ContextHandle(ggml_init({.mem_size = n_tensors * ggml_tensor_overhead() + graph_bytes,
                                  .mem_buffer = nullptr,
                                  .no_alloc = true}));
}

DeviceInfo info_of(ggml_backend_dev_t device) {
  const bool is_cpu = ggml_backend_dev_type(device) == GGML_BACKEND_DEVICE_TYPE_CPU;
  DeviceInfo info{.name = is_cpu ? "cpu" : ggml_backend_dev_name(device),
                  .description = ggml_backend_dev_description(device)};
  ggml_backend_dev_memory(device, &info.memory_free, &info.memory_total);
  return info;
}

Devices::Devices(const std::vector<std::string>& names, int32_t threads) {
  load_back_ends();
  threads_ = threads > 0 ? threads : std::max(1, static_cast<int32_t>(std::thread::hardware_concurrency()));
  cpu_ = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
  if (cpu_ == nullptr) {
    throw SystemError(
        "ggml found no CPU back end; install its package (Debian: libggml0) beside the library");
  }
  for (const std::string& name : names) {
    ggml_backend_dev_t device = find_device(name);
    if (device == nullptr || device == cpu_) {
      std::string known;
      for (const std::string& other : device_names()) known += (known.empty() ? "" : ", ") + other;
      throw InvalidRequest("there is no device \"" + name + "\" here; ggml found: " + known);
    }
    if (std::ranges::find(devices_, device) != devices_.end())
      throw InvalidRequest("the device " + name + " is named twice");
    devices_.push_back(device);
  }
  if (devices_.size() > most_devices) {
    throw InvalidRequest("a model is split over " + std::to_string(most_devices) +
                         " devices at most; name fewer with --device");
  }
}

std::string Devices::name(int32_t device) const {
  return device == cpu_device ? "cpu" : ggml_backend_dev_name(at(device));
}

std::string Devices::names() const {
  if (cpu_alone()) return name(cpu_device);
  std::string all;
  for (int32_t device = 0; device < size(); ++device) all += (device > 0 ? "," : "") + name(device);
  return all;
}

DeviceInfo Devices::facts(int32_t device) const {
  return info_of(at(device));
}

std::vector<DeviceInfo> Devices::facts() const {
  std::vector<DeviceInfo> all;
  for (int32_t device = 0; device < size(); ++device) all.push_back(facts(device));
  return all;
}

BufferHandle Devices::wrap_memory(void* data, size_t bytes) const {
  return BufferHandle(ggml_backend_dev_buffer_from_host_ptr(cpu_, data, bytes, bytes));
}

StartedDevices::StartedDevices(const Devices& devices, int32_t graph_threads) {
  for (int32_t device = 0; device < devices.size(); ++device) {
    back_ends_.emplace_back(ggml_backend_dev_init(devices.at(device), nullptr));
    if (back_ends_.back() == nullptr) {
      throw SystemError("the device \"" + devices.name(device) + "\" could not be started; try --device cpu");
    }
  }
  back_ends_.emplace_back(ggml_backend_dev_init(devices.at(cpu_device), nullptr));
  if (back_ends_.back() == nullptr) throw SystemError("ggml's CPU back end could not be started");
  auto set_threads = reinterpret_cast<ggml_backend_set_n_threads_t>(ggml_backend_reg_get_proc_address(
      ggml_backend_dev_backend_reg(devices.at(cpu_device)), "ggml_backend_set_n_threads"));
  if (set_threads != nullptr) set_threads(back_ends_.back().get(), graph_threads);
}

bool GraphRunner::allocate(ggml_cgraph* graph, size_t max_nodes) {
  if (max_nodes > max_nodes_) {
    max_nodes_ = std::max(max_nodes, max_nodes_ * 3 / 2);
    std::vector<ggml_backend_t> backends;
    for (const BackendHandle& back_end : devices_.back_ends_) backends.push_back(back_end.get());
    scheduler_.reset(ggml_backend_sched_new(backends.data(), nullptr, static_cast<int>(backends.size()),
                                            max_nodes_,
                                            /*parallel=*/false, /*op_offload=*/false));
  }
  ggml_backend_sched_reset(scheduler_.get());
  // Operations of ours are code of this process. A back end for another machine says that it can do any.
  for (int i = 0; i < ggml_graph_n_nodes(graph); ++i) {
    ggml_tensor* node = ggml_graph_node(graph, i);
    if (node->op == GGML_OP_CUSTOM) ggml_backend_sched_set_tensor_backend(scheduler_.get(), node, cpu());
  }
  return ggml_backend_sched_alloc_graph(scheduler_.get(), graph);
}

bool GraphRunner::compute(ggml_cgraph* graph, GraphProfile* profile) {
  if (profile != nullptr) return profile->compute(cpu(), graph);
  return ggml_backend_sched_graph_compute(scheduler_.get(), graph) == GGML_STATUS_SUCCESS;
}

}  // namespace lanerope::model

namespace lanerope {

std::vector<DeviceInfo> devices() {
  model::load_back_ends();
  std::vector<DeviceInfo> found;
  for (size_t i = 0; i < ggml_backend_dev_count(); ++i) {
    ggml_backend_dev_t device = ggml_backend_dev_get(i);
    const bool is_cpu = ggml_backend_dev_type(device) == GGML_BACKEND_DEVICE_TYPE_CPU;
    found.insert(is_cpu ? found.begin() : found.end(), model::info_of(device));
  }
  return found;
}

std::vector<std::string> device_names() {
  std::vector<std::string> names;
  for (const DeviceInfo& device : devices()) names.push_back(device.name);
  return names;
}

void set_back_end_folder(const std::string& folder) {
  model::BackEnds& all = model::back_ends();
  const std::lock_guard lock(all.mutex);
  if (all.loaded)
    throw InvalidRequest("ggml's back ends are loaded already; say where they lie before anything else");
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error))
    throw InvalidRequest("there is no folder \"" + folder + "\" to load ggml's back ends from");
  all.folder = folder;
}

}  // namespace lanerope
