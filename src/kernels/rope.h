// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <ggml.h>

#include "core/theta.h"
#include "kernels/thread_pool.h"

namespace lanerope::kernels {

// The angles of a rope as ggml is told of them: pair t of a token at index i is rotated by i * base^(-t /
// n_pairs) / divisors[t].
struct RopeAngles {
  core::RopePairs pairs = core::RopePairs::halves;
  int32_t n_pairs = 0;
  float base = 10000.0F;
  std::vector<float> divisors = {};  // [n_pairs], or none
  float magnitude = 1.0F;            // that the rotated components are multiplied by
};

// Cosines and sines for the rows of a step, times the magnitude; all layers of one rope share them. They are
// computed as ggml does, each angle from the one before it in f32: with exact ones products would round
// activations to other bytes than those of llama.cpp (SmolLM2's log-probabilities would be 0.061 from it, not
// 0.051).
class RopeTable {
 public:
  explicit RopeTable(RopeAngles angles) : angles_(std::move(angles)) {}

  void prepare(std::span<const int32_t> positions);  // [n_rows] the token index i of each row

  int32_t n_pairs() const { return angles_.n_pairs; }
  core::RopePairs pairs() const { return angles_.pairs; }
  int64_t n_rows() const { return n_rows_; }
  const float* of_row(int64_t row) const { return values_.data() + row * 2 * n_pairs(); }

 private:
  RopeAngles angles_;
  int64_t n_rows_ = 0;
  std::vector<float> values_ = {};  // [n_pairs, 2 (cosine, sine), n_rows]
};

// How the heads of queries or keys are made ready for attention. Must stay at its address as long as a graph
// that uses it; the table is prepared anew for every step.
struct RopeOperation {
  const RopeTable* table = nullptr;    // null for layers that do not rotate
  const float* norm_weight = nullptr;  // [head_dim]: RMS norm of each head first, times this; null for none
  float norm_epsilon = 0;
  ThreadPool* pool = nullptr;
};

struct RopeJob {
  const float* x = nullptr;  // [head_dim, n_head, n_rows], heads side by side
  int64_t row_stride = 0;    // floats from a row of x to the next
  int64_t head_dim = 0;
  int64_t n_head = 0;
  int64_t n_rows = 0;
  float* out = nullptr;  // [head_dim, n_head, n_rows]
};
// out = R(theta i) N(x), head by head; components behind the rotated ones are only normed.
void rope(const RopeOperation& operation, const RopeJob& job);

// The same as an operation of a graph that one thread runs: x f32 [head_dim, n_head, n_rows], rows maybe
// apart in memory.
ggml_tensor* rope(ggml_context* context, const RopeOperation* operation, ggml_tensor* x);

}  // namespace lanerope::kernels
