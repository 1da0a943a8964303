// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include <ggml.h>

namespace lanerope::kernels {

class LowRank;
struct Corrections;
class ThreadPool;

// What a product wants its columns (activations) made into. All products over the same input and of the
// same form can share one preparation.
enum class ActivationForm {
  f32,            // F16, BF16 weights
  blocks_of_32,   // int8, one scale for 32 inputs: Q4_0, Q8_0
  blocks_of_256,  // int8, one scale for 256 inputs: Q4_K, Q5_K, Q6_K
};

// Where the prepared columns lie: in panels, of which the last may be smaller. A panel of C columns holds
// their quants, one column after the other, and then scales and sums side by side, [C, ..]; or floats side by
// side, [C, n_in]. So a column takes `column_bytes` whatever its panel.
struct ActivationLayout {
  ActivationForm form = ActivationForm::f32;
  int64_t n_in = 0;  // padded with zeros to a multiple of 16, 64 or 256

  ActivationLayout(ActivationForm form, int64_t n_in);

  static constexpr int float_panel = 8;
  static constexpr int quant_panel = 16;
  int panel_columns() const { return form == ActivationForm::f32 ? float_panel : quant_panel; }
  int64_t block() const;  // inputs that share a scale
  // A column's quants, i8 [n_in], to those of the next: an odd multiple of 64, so that few of a panel's
  // columns share a set of a cache. Or a column's floats.
  size_t values_bytes() const;
  size_t scales() const { return values_bytes(); }  // offset, times C: f32 [C, n_in / block]
  size_t sums() const;  // offset, times C: i32 [C, n_in / 32 or n_in / 16], minus the sum of 32 quants, or
                        // -32 x that of 16
  size_t mins() const;  // offset, times C, blocks_of_256 only: f32 [C, n_in / 32], the sum of 32 quants
  size_t column_bytes() const;
};

// How to make them. The address must stay valid as long as a graph that uses it; the contents may change
// between runs.
struct ActivationParameters {
  ActivationForm form = ActivationForm::f32;
  const float* norm_weight = nullptr;  // [n_in]: RMS norm first, times this; null for none
  float norm_epsilon = 0;
  ThreadPool* pool = nullptr;  // who does the work of the operation; null for the threads that run the graph
  const LowRank* low_rank = nullptr;  // of the product, by adapters; used where a graph gives their scales
};

// A share of the work of preparing columns: thread `thread` of `n_threads`.
struct ColumnJob {
  const float* x = nullptr;  // [n_in, n_columns]
  int64_t n_in = 0;
  int64_t n_columns = 0;
  int64_t column_stride = 0;                 // floats from a column of x to the next
  const int32_t* columns = nullptr;          // [n_columns] which columns of x; null: the first n_columns
  std::byte* prepared = nullptr;             // n_columns * column_bytes
  const Corrections* corrections = nullptr;  // to begin with these too, or null
  int64_t first_column = 0;                  // of them, a multiple of a panel's
  int thread = 0;
  int n_threads = 1;
};
void prepare_activations(const ActivationParameters& parameters, const ColumnJob& job);

// The same as an operation of a graph: x f32 [n_in, n_columns] -> i8 [column_bytes, n_columns]. With the
// scales of adapters, f32 [n_adapters, n_columns], also the corrections in memory behind all columns; the
// pool must be there.
ggml_tensor* prepare_activations(ggml_context* context, const ActivationParameters* parameters,
                                 ggml_tensor* x, ggml_tensor* scales = nullptr);

}  // namespace lanerope::kernels
