// SPDX-License-Identifier: Apache-2.0
// The vectors of the trainer's kernels, included once per instruction set; see Highway's foreach_target.h.
#if defined(LANEROPE_VECTOR_MATH_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef LANEROPE_VECTOR_MATH_INL
#undef LANEROPE_VECTOR_MATH_INL
#else
#define LANEROPE_VECTOR_MATH_INL
#endif

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lanerope::train::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

const hn::CappedTag<float, 16> df;
using F = hn::Vec<decltype(df)>;
constexpr int vector_size = static_cast<int>(hn::MaxLanes(df));
constexpr float log2_e = 1.4426950408889634F;

// 2^x for x <= 0, within two units in the last place; 0 below the normal numbers, NaN for NaN.
HWY_INLINE F power_of_two(F x) {
  const hn::RebindToSigned<decltype(df)> di;
  const auto tiny = hn::Le(x, hn::Set(df, -126.0F));
  const F safe = hn::Max(hn::Set(df, -126.0F), x);  // in this order x86 gives NaN for NaN
  const auto whole = hn::NearestInt(safe);
  const F f = hn::Sub(safe, hn::ConvertTo(df, whole));
  F p = hn::Set(df, 1.5403530393381609e-4F);
  p = hn::MulAdd(p, f, hn::Set(df, 1.3333558146428443e-3F));
  p = hn::MulAdd(p, f, hn::Set(df, 9.6181291076284772e-3F));
  p = hn::MulAdd(p, f, hn::Set(df, 5.5504108664821580e-2F));
  p = hn::MulAdd(p, f, hn::Set(df, 2.4022650695910071e-1F));
  p = hn::MulAdd(p, f, hn::Set(df, 6.9314718055994531e-1F));
  p = hn::MulAdd(p, f, hn::Set(df, 1.0F));
  const F scale = hn::BitCast(df, hn::ShiftLeft<23>(hn::Add(whole, hn::Set(di, 127))));
  return hn::IfThenZeroElse(tiny, hn::Mul(p, scale));
}

}  // namespace lanerope::train::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
