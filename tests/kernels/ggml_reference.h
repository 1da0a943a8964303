// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include <ggml.h>

namespace lanerope::kernels {

// Runs `body` once for each instruction set that the kernels were built for and this machine has.
void for_each_instruction_set(const std::function<void(const char* name)>& body);

// Normally distributed.
std::vector<float> random_values(size_t n, uint32_t seed, float scale = 1);

// A matrix as a file holds it, and what it stands for.
struct FileMatrix {
  ggml_type type;
  int64_t n_in;
  int64_t n_out;
  std::vector<std::byte> bytes;
  std::vector<float> values;  // [n_in, n_out]
};
FileMatrix quantised(ggml_type type, int64_t n_in, const std::vector<float>& values);

// W x in double precision, [n_out, n_columns].
std::vector<double> exact_product(const FileMatrix& matrix, const std::vector<float>& x);
// What ggml's CPU back end makes of it.
std::vector<float> ggml_product(const FileMatrix& matrix, const std::vector<float>& x);

// Builds a graph with `build`, whose inputs are tensors made with ggml_new_tensor in the given context and
// already filled, runs it on ggml's CPU back end with `n_threads` threads and returns the values of the
// result (f32).
std::vector<float> run_graph(int n_threads, const std::function<ggml_tensor*(ggml_context*)>& build);

double root_mean_square(const std::vector<double>& exact, const std::vector<float>& values);

}  // namespace lanerope::kernels
