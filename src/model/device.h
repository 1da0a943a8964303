// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include <ggml-backend.h>

#include "lanerope/devices.h"

namespace lanerope::model {

class GraphProfile;

// Owners of ggml's handles.
template <auto release>
struct Releaser {
  template <typename T>
  void operator()(T* handle) const {
    release(handle);
  }
};
using ContextHandle = std::unique_ptr<ggml_context, Releaser<ggml_free>>;
using BufferHandle = std::unique_ptr<ggml_backend_buffer, Releaser<ggml_backend_buffer_free>>;
using BackendHandle = std::unique_ptr<ggml_backend, Releaser<ggml_backend_free>>;
using SchedulerHandle = std::unique_ptr<ggml_backend_sched, Releaser<ggml_backend_sched_free>>;

// A ggml context for `n_tensors` tensors whose data live elsewhere.
ContextHandle make_context(size_t n_tensors, size_t n_graph_nodes = 0);

// Finds ggml's back ends, once a process.
void load_back_ends();

DeviceInfo info_of(ggml_backend_dev_t device);

// The CPU, where a device is meant by its index among others.
inline constexpr int32_t cpu_device = -1;

// Which devices compute, and where what they compute with lives: the CPU, which is always there, and others,
// counted from 0. Immutable; any number of threads.
class Devices {
 public:
  // `names` out of device_names(), without the CPU. Throws InvalidRequest for an unknown one, SystemError
  // where the CPU cannot be used. threads 0 means all cores.
  Devices(const std::vector<std::string>& names, int32_t threads);

  bool cpu_alone() const { return devices_.empty(); }
  int32_t size() const { return static_cast<int32_t>(devices_.size()); }  // without the CPU
  std::string name(int32_t device) const;
  std::string names() const;  // "cpu", or "Vulkan0,Vulkan1"
  DeviceInfo facts(int32_t device) const;
  ggml_backend_dev_t at(int32_t device) const { return device == cpu_device ? cpu_ : devices_[device]; }
  std::vector<DeviceInfo> facts() const;  // [size()]
  int32_t threads() const { return threads_; }

  // Where the weights and KV cells of a device live.
  ggml_backend_buffer_type_t buffer_type(int32_t device) const {
    return ggml_backend_dev_buffer_type(at(device));
  }
  // Wraps memory that outlives the buffer, for the CPU; nullptr where its back end cannot.
  BufferHandle wrap_memory(void* data, size_t bytes) const;

 private:
  ggml_backend_dev_t cpu_ = nullptr;
  std::vector<ggml_backend_dev_t> devices_;
  int32_t threads_ = 1;
};

// The devices and the CPU ready to compute, with what their back ends keep for that. One thread.
class StartedDevices {
 public:
  // graph_threads: of ggml's own on the CPU. Throws SystemError where one of them cannot be started.
  StartedDevices(const Devices& devices, int32_t graph_threads);

 private:
  friend class GraphRunner;
  std::vector<BackendHandle> back_ends_;  // the CPU's is the last one
};

// Allocates and computes one graph after the other on all devices, with the CPU beside them for what they
// cannot do. One thread.
class GraphRunner {
 public:
  explicit GraphRunner(const StartedDevices& devices) : devices_(devices) {}

  // Forgets the last graph and gives memory to this one of at most `max_nodes` nodes. False if there is not
  // enough.
  bool allocate(ggml_cgraph* graph, size_t max_nodes);
  // Whether it went well. With a profile, on the CPU alone, each operation runs on its own and is timed.
  bool compute(ggml_cgraph* graph, GraphProfile* profile = nullptr);

 private:
  ggml_backend_t cpu() const { return devices_.back_ends_.back().get(); }

  const StartedDevices& devices_;
  SchedulerHandle scheduler_;
  size_t max_nodes_ = 0;
};

}  // namespace lanerope::model
