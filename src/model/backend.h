// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include <ggml-backend.h>

namespace lanerope {

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

// The device that computes, and the CPU beside it for what the device cannot do.
class Backend {
 public:
  // `device` is "cpu" or a name out of device_names(). Throws InvalidRequest for an unknown one, SystemError if the
  // device cannot be used. threads 0 means all cores.
  Backend(const std::string& device, int32_t threads);

  bool on_cpu() const { return device_ == nullptr; }
  std::string name() const;
  int32_t threads() const { return threads_; }

  // Where weights and KV cells live.
  ggml_backend_buffer_type_t buffer_type() const;
  ggml_backend_buffer_type_t host_buffer_type() const;
  // Wraps memory that outlives the buffer; nullptr where the device cannot.
  BufferHandle wrap_memory(void* data, size_t bytes) const;
  SchedulerHandle make_scheduler(size_t n_graph_nodes) const;

 private:
  BackendHandle device_;  // null: the CPU computes
  BackendHandle cpu_;
  int32_t threads_ = 1;
};

}  // namespace lanerope
