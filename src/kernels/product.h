// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include <ggml.h>

#include "kernels/activations.h"
#include "kernels/low_rank.h"
#include "kernels/packed_matrix.h"

namespace lanerope::kernels {

// What becomes of the two halves of a product of gate and up; gelu is its tanh form. clamped_silu is g *
// sigmoid(1.702 g) * (u + 1), where g is at most 7 and u within -7 and 7.
enum class Gating { none, silu, gelu, clamped_silu };

// y = W x + bias, or with gating activation(W_0 x) * (W_1 x). Must stay at its address as long as a graph
// that uses it. One product at a time may run on it.
struct ProductParameters {
  const PackedMatrix* matrix = nullptr;
  const float* bias = nullptr;   // [n_out], or null
  std::string name = "product";  // of its operation in a graph
  Gating gating =
      Gating::none;  // else the matrix has two parts of equal rows, gate and up; the product has n_out / 2
  ActivationParameters activations = {};        // form is the matrix's; a norm and a pool may be set
  mutable std::atomic<int64_t> next_chunk = 0;  // of rows; the graph's threads take them as they come

  explicit ProductParameters(const PackedMatrix& m) : matrix(&m) { activations.form = m.form(); }
  int64_t n_out() const { return gating != Gating::none ? matrix->n_out() / 2 : matrix->n_out(); }
};

// Parts of the matrix that are multiplied: all, or those of one expert.
struct PartRange {
  int32_t first = 0;
  int32_t n = 0;  // 0: all that follow
};

// A share of one product. Every element of y is summed in an order that depends on W alone: the same bits for
// any number of columns and threads.
struct ProductJob {
  const std::byte* prepared = nullptr;  // by prepare_activations with the matrix's form
  int64_t n_columns = 0;
  PartRange parts = {};
  float* y = nullptr;               // [n_out of the parts, n_columns]
  int64_t column_stride = 0;        // floats from a column of y to the next
  const float* residual = nullptr;  // as y, to add, or null
  int64_t residual_stride = 0;
  Corrections corrections = {};  // of the prepared columns, finished; added before the bias
  int n_threads =
      1;  // this call is one of n_threads concurrent ones; 1 where there is a pool, which then does it
};
void product(const ProductParameters& parameters, const ProductJob& job);

// A piece of one, for callers that share out several products at once: some tiles of rows for at most
// max_tile_columns columns (tile_kernel.h).
struct ProductPiece {
  int64_t first_tile = 0;
  int64_t n_tiles = 0;
  int64_t first_column = 0;
  int n_columns = 0;
};
int64_t tile_count(const ProductParameters& parameters, PartRange parts);
void product(const ProductParameters& parameters, const ProductJob& job, const ProductPiece& piece);

// As operations of a graph on the CPU back end. x is f32 [n_in, n_columns] (prepared first, as
// parameters->activations says), or already prepared, i8 [column_bytes, n_columns]. residual, if any, is f32
// [n_out, n_columns] and is added. Returns f32 [n_out, n_columns]. With a pool in parameters->activations one
// thread must run the graph, or the others burn. `scales` of adapters, f32 [n_adapters, n_columns], add the
// corrections of parameters->activations.low_rank; x must not have been prepared then.
struct ProductInputs {
  ggml_tensor* x = nullptr;
  ggml_tensor* residual = nullptr;
  ggml_tensor* scales = nullptr;
};
ggml_tensor* product(ggml_context* context, const ProductParameters* parameters, const ProductInputs& inputs);

}  // namespace lanerope::kernels
