// SPDX-License-Identifier: Apache-2.0
#include "kernels/soft_cap.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/soft_cap.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, as it wants.
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lanerope::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

void cap_values(const SoftCap& with, const float* x, int64_t n, float* out) {
  const hn::CappedTag<float, 16> df;
  const auto scale = hn::Set(df, with.cap > 0 ? with.scale / with.cap : with.scale);
  const auto cap = hn::Set(df, with.cap);
  constexpr int64_t vector_size = hn::MaxLanes(df);
  for (int64_t i = 0; i < n; i += vector_size) {
    const size_t some = std::min(vector_size, n - i);
    auto y = hn::Mul(hn::LoadN(df, x + i, some), scale);
    if (with.cap > 0) y = hn::Mul(cap, hn::Tanh(df, y));
    hn::StoreN(y, df, out + i, some);
  }
}

}  // namespace lanerope::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lanerope::kernels {

HWY_EXPORT(cap_values);

ggml_tensor* soft_cap(ggml_context* context, const SoftCap* with, ggml_tensor* x) {
  const auto run = [](ggml_tensor* out, int, int, void* data) {
    const auto& of = *static_cast<const SoftCap*>(data);
    const StridedRows rows = rows_of(out->src[0]);
    const int64_t n = out->ne[0];
    const auto values = HWY_DYNAMIC_POINTER(cap_values);
    // Few rows of many values: parts of them are shared out.
    constexpr int64_t part = 8192;
    const int64_t parts = (n + part - 1) / part;
    for_rows(of.pool, out->ne[1] * parts, std::min(n, part), [&](RowRange range) {
      for (int64_t i = range.begin; i < range.end; ++i) {
        const int64_t first = i % parts * part;
        const float* from = rows.data + i / parts * rows.stride + first;
        values(of, from, std::min(part, n - first), static_cast<float*>(out->data) + i / parts * n + first);
      }
    });
  };
  ggml_tensor* out = ggml_custom_4d(context, GGML_TYPE_F32, x->ne[0], x->ne[1], 1, 1, &x, 1, run, 1,
                                    const_cast<SoftCap*>(with));
  ggml_set_name(out, "soft_cap");
  return out;
}

}  // namespace lanerope::kernels
#endif
