// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <ggml.h>

#include "kernels/expert_routing.h"
#include "kernels/product.h"

namespace lanerope::kernels {

// The memory of a step's experts, shared by all layers of a model, which run one after the other.
class ExpertWork {
 public:
  ExpertWork(int32_t n_expert, int32_t n_used) : routing(n_expert, n_used) {}

  // Makes room for as many bytes in each, for the routing's columns: their contents are lost.
  void reserve(size_t prepared_bytes, size_t inner_bytes, size_t outer_bytes);

  ExpertRouting routing;
  std::byte* prepared() const { return prepared_.memory.get(); }  // columns as a product wants them
  float* inner() const { return reinterpret_cast<float*>(inner_.memory.get()); }  // [n_ffn, n_columns]
  float* outer() const { return reinterpret_cast<float*>(outer_.memory.get()); }  // [n_embd, n_columns]

 private:
  struct Free {
    void operator()(std::byte* memory) const;
  };
  struct Buffer {
    std::unique_ptr<std::byte, Free> memory;
    size_t bytes = 0;
    void reserve(size_t wanted);
  };
  Buffer prepared_;
  Buffer inner_;
  Buffer outer_;
};

// The feed-forward layer of one block of a model with experts. Must stay at its address as long as a graph
// that uses it.
struct ExpertFfnParameters {
  // Gate and up of the first expert, of the second and so on, gated; its activations' norm is that of x.
  const ProductParameters* gate_up = nullptr;
  const ProductParameters* down = nullptr;  // a part an expert
  ExpertWork* work = nullptr;
  ThreadPool* pool = nullptr;
};

// A step of it. Each expert that some row needs is multiplied once with all of its rows, and the work on all
// of them is shared out together. A row's result is a function of the row and its scores, to the bit.
struct ExpertFfnJob {
  const float* x = nullptr;  // [n_embd, n_rows], before the norm
  int64_t row_stride = 0;    // floats from a row of x to the next
  RouterScores scores = {};  // of n_rows rows
  float* y = nullptr;        // [n_embd, n_rows]: the sum over a row's experts of share * down(gated(x))
};
void expert_ffn(const ExpertFfnParameters& parameters, const ExpertFfnJob& job);

// The same as an operation of a graph that one thread runs: x f32 [n_embd, n_rows] and scores f32 [n_expert,
// n_rows] -> f32 [n_embd, n_rows].
ggml_tensor* expert_ffn(ggml_context* context, const ExpertFfnParameters* parameters, ggml_tensor* x,
                        ggml_tensor* scores);

}  // namespace lanerope::kernels
