// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include <ggml.h>

#include "kernels/attention_schedule.h"
#include "kernels/thread_pool.h"

namespace lanerope::kernels {

// The attention of one layer. Must stay at its address as long as a graph that uses it; `work` is prepared
// anew for every step and shared by all layers, which run one after the other.
struct LaneAttentionParameters {
  const AttentionSchedule* work = nullptr;
  int32_t layer = 0;
  // [n_head] a score that enters the sum of each query's weights and has no value; null for none.
  const float* sinks = nullptr;
  ThreadPool* pool = nullptr;  // who does the work of the operation; null for the threads that run the graph
};

// Cells of one layer's KV pool, cell after cell: keys rotated by theta * index, or values.
struct CellView {
  ggml_type type = GGML_TYPE_F16;   // F16 or Q8_0
  const std::byte* data = nullptr;  // [head_dim * n_head_kv, n_cells]
  size_t cell_bytes = 0;            // from a cell to the next
};

// A call is one of n_threads concurrent ones that share the work.
struct LaneAttentionJob {
  const float* q = nullptr;  // [head_dim, n_head, n_rows], rotated by theta * index
  size_t head_stride = 0;    // floats from a head of q to the next
  size_t row_stride = 0;     // floats from a row of q to the next
  CellView keys;
  CellView values;
  float* out = nullptr;  // [head_dim * n_head, n_rows]; zeros for a row that sees no cell
  int n_threads = 1;     // 1 where there is a pool, which then does it
};
void lane_attention(const LaneAttentionParameters& parameters, const LaneAttentionJob& job);

// The same as an operation of a graph: q f32 [head_dim, n_head, n_rows]; keys and values f16 or q8_0
// [head_dim * n_head_kv, n_cells], as the operations that wrote this step's cells return them. Returns f32
// [head_dim * n_head, n_rows]: zeros for rows behind the last one of the work.
ggml_tensor* lane_attention(ggml_context* context, const LaneAttentionParameters* parameters, ggml_tensor* q,
                            ggml_tensor* keys, ggml_tensor* values);

}  // namespace lanerope::kernels
