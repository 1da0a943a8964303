// SPDX-License-Identifier: Apache-2.0
#include "kernels/normed_sum.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/normed_sum.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, as it wants.
#include <hwy/highway.h>

#include "kernels/mean_square-inl.h"

HWY_BEFORE_NAMESPACE();
namespace lanerope::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

const hn::CappedTag<float, 16> df;
using F = hn::Vec<decltype(df)>;
constexpr int64_t vector_size = hn::MaxLanes(df);

void sum_rows(const NormedSum& sum, const NormedSumJob& job, RowRange of) {
  for (int64_t row = of.begin; row < of.end; ++row) {
    const float* x = job.x.data + row * job.x.stride;
    const float* residual =
        job.residual.data != nullptr ? job.residual.data + row * job.residual.stride : nullptr;
    float* out = job.out + row * job.n;
    float factor = sum.scale;
    if (sum.norm_weight != nullptr) factor /= std::sqrt(mean_square(x, job.n) + sum.norm_epsilon);
    const F by = hn::Set(df, factor);
    const auto part = [&](int64_t i, size_t n) {
      F y = hn::Mul(hn::LoadN(df, x + i, n), by);
      if (sum.norm_weight != nullptr) y = hn::Mul(y, hn::LoadN(df, sum.norm_weight + i, n));
      if (residual != nullptr) y = hn::Add(hn::LoadN(df, residual + i, n), y);
      hn::StoreN(y, df, out + i, n);
    };
    int64_t i = 0;
    for (; i + vector_size <= job.n; i += vector_size) part(i, vector_size);
    if (i < job.n) part(i, job.n - i);
  }
}

}  // namespace lanerope::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lanerope::kernels {

HWY_EXPORT(sum_rows);

void normed_sum(const NormedSum& sum, const NormedSumJob& job) {
  const auto rows = HWY_DYNAMIC_POINTER(sum_rows);
  for_rows(sum.pool, job.n_rows, job.n, [&](RowRange of) { rows(sum, job, of); });
}

ggml_tensor* normed_sum(ggml_context* context, const NormedSum* sum, ggml_tensor* x, ggml_tensor* residual) {
  assert(x->ne[2] == 1 && (residual == nullptr || ggml_are_same_shape(x, residual)));
  const auto run = [](ggml_tensor* out, int, int, void* data) {
    normed_sum(*static_cast<const NormedSum*>(data), {.x = rows_of(out->src[0]),
                                                      .residual = rows_of(out->src[1]),
                                                      .n = out->ne[0],
                                                      .n_rows = out->ne[1],
                                                      .out = static_cast<float*>(out->data)});
  };
  ggml_tensor* arguments[] = {x, residual};
  ggml_tensor* out = ggml_custom_4d(context, GGML_TYPE_F32, x->ne[0], x->ne[1], 1, 1, arguments,
                                    residual != nullptr ? 2 : 1, run, 1, const_cast<NormedSum*>(sum));
  ggml_set_name(out, sum->norm_weight != nullptr ? "norm" : "scale");
  return out;
}

}  // namespace lanerope::kernels
#endif
