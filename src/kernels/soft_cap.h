// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ggml.h>

#include "kernels/rows.h"
#include "kernels/thread_pool.h"

namespace lanerope::kernels {

// cap * tanh(scale * x / cap), or scale * x where there is no cap. Must stay at its address as long as a
// graph that uses it.
struct SoftCap {
  float cap = 0;
  float scale = 1;
  ThreadPool* pool = nullptr;
};

// The same as an operation of a graph that one thread runs: x f32 [n, n_rows].
ggml_tensor* soft_cap(ggml_context* context, const SoftCap* with, ggml_tensor* x);

}  // namespace lanerope::kernels
