// SPDX-License-Identifier: Apache-2.0
// The mean of squares that RMS norms divide by, included once per instruction set; see Highway's
// foreach_target.h.
#if defined(LANEROPE_MEAN_SQUARE_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef LANEROPE_MEAN_SQUARE_INL
#undef LANEROPE_MEAN_SQUARE_INL
#else
#define LANEROPE_MEAN_SQUARE_INL
#endif

#include <cstdint>

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lanerope::kernels::HWY_NAMESPACE {

// Sum of squares in 16 interleaved sums whatever the vector's width, so that it is the same on every machine
// that fuses multiply and add.
inline float mean_square(const float* x, int64_t n) {
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::CappedTag<float, 16> df;
  constexpr size_t vector_size = hn::MaxLanes(df);
  HWY_ALIGN float sums[16] = {};
  for (size_t part = 0; part < 16; part += vector_size) {
    auto sum = hn::Zero(df);
    for (int64_t i = part; i + static_cast<int64_t>(vector_size) <= n; i += 16) {
      const auto v = hn::LoadU(df, x + i);
      sum = hn::MulAdd(v, v, sum);
    }
    hn::Store(sum, df, sums + part);
  }
  for (int64_t i = n / static_cast<int64_t>(vector_size) * static_cast<int64_t>(vector_size); i < n; ++i) {
    sums[i % 16] += x[i] * x[i];
  }
  double total = 0;
  for (float sum : sums) total += sum;
  return static_cast<float>(total / static_cast<double>(n));
}

}  // namespace lanerope::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
