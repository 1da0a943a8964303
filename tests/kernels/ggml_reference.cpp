// SPDX-License-Identifier: Apache-2.0
#include "tests/kernels/ggml_reference.h"

#include <cmath>
#include <cstring>
#include <random>

#include <ggml-backend.h>
#include <ggml-cpp.h>
#include <ggml-cpu.h>
#include <gtest/gtest.h>
#include <hwy/detect_targets.h>
#include <hwy/targets.h>

namespace lanerope::kernels {
namespace {

// The thread sanitizer does not see the barriers of the OpenMP library that ggml's back end waits at.
#if defined(__SANITIZE_THREAD__)
constexpr bool one_thread = true;
#elif defined(__has_feature)
constexpr bool one_thread = __has_feature(thread_sanitizer);
#else
constexpr bool one_thread = false;
#endif

}  // namespace

void for_each_instruction_set(const std::function<void(const char*)>& body) {
  for (int64_t rest = hwy::SupportedTargets() & HWY_TARGETS; rest != 0; rest &= rest - 1) {
    const int64_t target = rest & -rest;
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(target);
    SCOPED_TRACE(hwy::TargetName(target));
    body(hwy::TargetName(target));
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

std::vector<float> random_values(size_t n, uint32_t seed, float scale) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, scale);
  std::vector<float> values(n);
  for (float& v : values) v = normal(random);
  return values;
}

FileMatrix quantised(ggml_type type, int64_t n_in, const std::vector<float>& values) {
  const auto n_out = static_cast<int64_t>(values.size()) / n_in;
  FileMatrix matrix{type, n_in, n_out, std::vector<std::byte>(ggml_row_size(type, n_in) * n_out), values};
  if (type == GGML_TYPE_F32) {
    std::memcpy(matrix.bytes.data(), values.data(), matrix.bytes.size());
    return matrix;
  }
  ggml_quantize_chunk(type, values.data(), matrix.bytes.data(), 0, n_out, n_in, nullptr);
  const size_t row_bytes = ggml_row_size(type, n_in);
  for (int64_t row = 0; row < n_out; ++row) {
    ggml_get_type_traits(type)->to_float(matrix.bytes.data() + row * row_bytes,
                                         matrix.values.data() + row * n_in, n_in);
  }
  return matrix;
}

std::vector<double> exact_product(const FileMatrix& matrix, const std::vector<float>& x) {
  const size_t columns = x.size() / matrix.n_in;
  std::vector<double> y(matrix.n_out * columns);
  for (size_t c = 0; c < columns; ++c) {
    for (int64_t row = 0; row < matrix.n_out; ++row) {
      double sum = 0;
      for (int64_t i = 0; i < matrix.n_in; ++i) {
        sum += static_cast<double>(matrix.values[row * matrix.n_in + i]) * x[c * matrix.n_in + i];
      }
      y[c * matrix.n_out + row] = sum;
    }
  }
  return y;
}

std::vector<float> ggml_product(const FileMatrix& matrix, const std::vector<float>& x) {
  return run_graph(1, [&](ggml_context* context) {
    ggml_tensor* w = ggml_new_tensor_2d(context, matrix.type, matrix.n_in, matrix.n_out);
    std::memcpy(w->data, matrix.bytes.data(), matrix.bytes.size());
    ggml_tensor* columns =
        ggml_new_tensor_2d(context, GGML_TYPE_F32, matrix.n_in, static_cast<int64_t>(x.size()) / matrix.n_in);
    std::memcpy(columns->data, x.data(), x.size() * sizeof(float));
    return ggml_mul_mat(context, w, columns);
  });
}

std::vector<float> run_graph(int n_threads, const std::function<ggml_tensor*(ggml_context*)>& build) {
  static const bool loaded = (ggml_backend_load_all(), true);
  EXPECT_TRUE(loaded);
  const ggml_backend_ptr backend(ggml_backend_init_by_type(GGML_BACKEND_DEVICE_TYPE_CPU, nullptr));
  ggml_backend_reg_t reg = ggml_backend_dev_backend_reg(ggml_backend_get_device(backend.get()));
  const auto set_threads = reinterpret_cast<ggml_backend_set_n_threads_t>(
      ggml_backend_reg_get_proc_address(reg, "ggml_backend_set_n_threads"));
  set_threads(backend.get(), one_thread ? 1 : n_threads);
  const ggml_context_ptr context(
      ggml_init({.mem_size = size_t{64} << 20, .mem_buffer = nullptr, .no_alloc = false}));
  ggml_tensor* result = build(context.get());
  ggml_cgraph* graph = ggml_new_graph(context.get());
  ggml_build_forward_expand(graph, result);
  EXPECT_EQ(ggml_backend_graph_compute(backend.get(), graph), GGML_STATUS_SUCCESS);
  const auto* values = static_cast<const float*>(result->data);
  return {values, values + ggml_nelements(result)};
}

double root_mean_square(const std::vector<double>& exact, const std::vector<float>& values) {
  double sum = 0;
  for (size_t i = 0; i < exact.size(); ++i) sum += (exact[i] - values[i]) * (exact[i] - values[i]);
  return std::sqrt(sum / static_cast<double>(exact.size()));
}

}  // namespace lanerope::kernels
