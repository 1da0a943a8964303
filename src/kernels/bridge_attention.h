// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <ggml.h>

#include "kernels/rows.h"
#include "kernels/thread_pool.h"

namespace lanerope::kernels {

// Which rows of a step exchange their hidden states, shared by all layers of a model.
class BridgeSets {
 public:
  // [n_rows] rows of one number exchange; -1: with nobody.
  void prepare(std::span<const int32_t> numbers);

  int64_t n_rows() const { return static_cast<int64_t>(numbers_.size()); }
  // Itself among them, ascending; none for a row that exchanges with nobody.
  std::span<const int32_t> heard_by(int64_t row) const;
  // The most that a row hears.
  size_t largest() const { return largest_; }

 private:
  std::vector<int32_t> numbers_ = {};
  std::vector<int32_t> first_ = {};  // [numbers + 1] where the rows of each begin in rows_
  std::vector<int32_t> rows_ = {};
  size_t largest_ = 0;
};

// The attention between the rows of a step, of every layer alike. Must stay at its address as long as a graph
// that uses it; `sets` are prepared anew for every step.
struct BridgeAttentionParameters {
  const BridgeSets* sets = nullptr;
  int32_t n_head = 0;
  int32_t head_dim = 0;
  ThreadPool* pool = nullptr;
};

// out [n_head * head_dim, n_rows]: of each head the values of the rows that a row hears, weighted by the
// soft-max of <q, k> / sqrt(head_dim); zeros where it hears none. A row's result is a function of the rows
// that it hears and their order, to the bit.
struct BridgeAttentionJob {
  StridedRows q = {};  // [n_head * head_dim, n_rows], as are k and v
  StridedRows k = {};
  StridedRows v = {};
  float* out = nullptr;
};
void bridge_attention(const BridgeAttentionParameters& parameters, const BridgeAttentionJob& job);

// The same as an operation of a graph that one thread runs: q, k and v f32 [n_head * head_dim, n_rows].
struct BridgeInputs {
  ggml_tensor* q = nullptr;
  ggml_tensor* k = nullptr;
  ggml_tensor* v = nullptr;
};
ggml_tensor* bridge_attention(ggml_context* context, const BridgeAttentionParameters* parameters,
                              const BridgeInputs& inputs);

}  // namespace lanerope::kernels
