// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <ggml.h>

#include "kernels/rows.h"
#include "kernels/thread_pool.h"

namespace lanerope::kernels {

// What a block adds to its input, where more than a product is to be done: residual + scale * N(x). Must stay
// at its address as long as a graph that uses it.
struct NormedSum {
  const float* norm_weight = nullptr;  // [n]: RMS norm first, times this; null for none
  float norm_epsilon = 0;
  float scale = 1;
  ThreadPool* pool = nullptr;
};

struct NormedSumJob {
  StridedRows x = {};         // [n, n_rows]
  StridedRows residual = {};  // the same, or none
  int64_t n = 0;
  int64_t n_rows = 0;
  float* out = nullptr;  // [n, n_rows]
};
void normed_sum(const NormedSum& sum, const NormedSumJob& job);

// The same as an operation of a graph that one thread runs: x and residual f32 [n, n_rows], the latter or
// null.
ggml_tensor* normed_sum(ggml_context* context, const NormedSum* sum, ggml_tensor* x, ggml_tensor* residual);

}  // namespace lanerope::kernels
