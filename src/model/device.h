// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include <ggml-backend.h>

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

// Which device computes, and where what it computes with lives. Immutable; any number of threads.
class Device {
 public:
  // `device` is "cpu" or a name out of device_names(). Throws InvalidRequest for an unknown one, SystemError
  // if the device cannot be used. threads 0 means all cores.
  Device(const std::string& device, int32_t threads);

  bool on_cpu() const { return device_ == cpu_; }
  std::string name() const;
  int32_t threads() const { return threads_; }

  // Where weights and KV cells live.
  ggml_backend_buffer_type_t buffer_type() const { return ggml_backend_dev_buffer_type(device_); }
  // And those of layers that are not on the device.
  ggml_backend_buffer_type_t cpu_buffer_type() const { return ggml_backend_dev_buffer_type(cpu_); }
  // Wraps memory that outlives the buffer; nullptr where the CPU's back end cannot.
  BufferHandle wrap_memory(void* data, size_t bytes) const;

 private:
  friend class GraphRunner;
  ggml_backend_dev_t cpu_ = nullptr;
  ggml_backend_dev_t device_ = nullptr;
  int32_t threads_ = 1;
};

// Allocates and computes graphs on the device, with the CPU beside it for what the device cannot do. One
// thread.
class GraphRunner {
 public:
  // graph_threads: of ggml's own on the CPU.
  GraphRunner(const Device& device, int32_t graph_threads);

  // Forgets the last graph and gives memory to this one of at most `max_nodes` nodes. False if there is not
  // enough.
  bool allocate(ggml_cgraph* graph, size_t max_nodes);
  // Whether it went well. With a profile, on the CPU alone, each operation runs on its own and is timed.
  bool compute(ggml_cgraph* graph, GraphProfile* profile = nullptr);

 private:
  BackendHandle device_;  // null: the CPU is the device
  BackendHandle cpu_;
  SchedulerHandle scheduler_;
  size_t max_nodes_ = 0;
};

}  // namespace lanerope::model
