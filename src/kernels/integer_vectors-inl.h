// SPDX-License-Identifier: Apache-2.0
// Included once per instruction set by the integer kernels; see Highway's foreach_target.h.
#if defined(LANEROPE_INTEGER_VECTORS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef LANEROPE_INTEGER_VECTORS_INL
#undef LANEROPE_INTEGER_VECTORS_INL
#else
#define LANEROPE_INTEGER_VECTORS_INL
#endif

#include <type_traits>

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include "kernels/tile_kernel.h"

HWY_BEFORE_NAMESPACE();
namespace lanerope::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

const hn::CappedTag<float, 16> df;
const hn::RebindToSigned<decltype(df)> di32;
const hn::Repartition<int8_t, decltype(df)> di8;
const hn::Repartition<uint8_t, decltype(df)> du8;
const hn::Repartition<uint16_t, decltype(df)> du16;
using F = hn::Vec<decltype(df)>;
using I32 = hn::Vec<decltype(di32)>;
using U8 = hn::Vec<decltype(du8)>;
constexpr int vector_size = static_cast<int>(hn::MaxLanes(df));
// With 32 registers two vectors of rows share each activation that is loaded.
constexpr int vectors = HWY_TARGET == HWY_AVX3_DL || HWY_TARGET_IS_NEON ? 2 : 1;
constexpr int rows_at_once = vectors * vector_size;
constexpr int few_columns = 32;

// sum + the four-way dot products of unsigned weights (at most 127 where `narrow`) and signed activations.
// Exact.
template <bool narrow>
HWY_INLINE I32 dot4(U8 weights, hn::Vec<decltype(di8)> x, I32 sum) {
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_SSE4 || HWY_TARGET == HWY_SSSE3
  if constexpr (narrow) {
    const hn::Repartition<int16_t, decltype(df)> di16;
    return hn::Add(sum, hn::WidenMulPairwiseAdd(di32, hn::SatWidenMulPairwiseAdd(di16, weights, x),
                                                hn::Set(di16, int16_t{1})));
  }
#elif HWY_TARGET_IS_NEON
  if constexpr (narrow) return hn::SumOfMulQuadAccumulate(di32, hn::BitCast(di8, weights), x, sum);
#endif
  return hn::SumOfMulQuadAccumulate(di32, weights, x, sum);
}

HWY_INLINE F load_f16(const uint16_t* p) {
  const hn::Rebind<hwy::float16_t, decltype(df)> df16;
  return hn::PromoteTo(df, hn::LoadU(df16, reinterpret_cast<const hwy::float16_t*>(p)));
}

HWY_INLINE F load_bf16(const uint16_t* p) {
  const hn::Rebind<hwy::bfloat16_t, decltype(df)> dbf16;
  return hn::PromoteTo(df, hn::LoadU(dbf16, reinterpret_cast<const hwy::bfloat16_t*>(p)));
}

template <typename T>
HWY_INLINE F load_small(const T* p) {
  const hn::Rebind<T, decltype(df)> dt;
  return hn::ConvertTo(df, hn::PromoteTo(di32, hn::LoadU(dt, p)));
}

HWY_INLINE U8 low_nibbles(U8 v) {
  return hn::And(v, hn::Set(du8, uint8_t{15}));
}
HWY_INLINE U8 high_nibbles(U8 v) {
  return low_nibbles(hn::BitCast(du8, hn::ShiftRight<4>(hn::BitCast(du16, v))));
}
template <int bits>
HWY_INLINE U8 up(U8 v) {
  return hn::BitCast(du8, hn::ShiftLeft<bits>(hn::BitCast(du16, v)));
}
template <int bits>
HWY_INLINE U8 down(U8 v) {
  return hn::BitCast(du8, hn::ShiftRight<bits>(hn::BitCast(du16, v)));
}

// Some columns of a panel, from some input on.
struct Columns {
  const std::byte* quants;  // i8 [inputs] of the first column
  int64_t stride;           // bytes to those of the next
  const float* scales;      // [width, inputs / layout.block()], from the first column on
  const int32_t* sums;      // [width, inputs / 32 or 16]
  const float* mins;        // [width, inputs / 32]
  int64_t width;            // columns of the panel

  Columns(const TileJob& job, int first) {
    const ActivationLayout& layout = *job.layout;
    const int panel = first / ActivationLayout::quant_panel * ActivationLayout::quant_panel;
    const int column = first - panel;
    const std::byte* base = job.columns + panel * layout.column_bytes();
    stride = static_cast<int64_t>(layout.values_bytes());
    width = HWY_MIN(ActivationLayout::quant_panel, job.n_columns - panel);
    quants = base + column * stride;
    scales = reinterpret_cast<const float*>(base + layout.scales() * width) + column;
    sums = reinterpret_cast<const int32_t*>(base + layout.sums() * width) + column;
    mins = reinterpret_cast<const float*>(base + layout.mins() * width) + column;
  }

  HWY_INLINE float scale(int i, int c) const { return scales[i * width + c]; }
  HWY_INLINE int32_t sum(int i, int c) const { return sums[i * width + c]; }
  HWY_INLINE float min(int i, int c) const { return mins[i * width + c]; }
  // Inputs 4q to 4q + 3 of a column.
  HWY_INLINE int32_t quad(int q, int c) const {
    return *reinterpret_cast<const int32_t*>(quants + c * stride + 4 * q);
  }
  // The same columns of a whole panel behind this one, of `bytes`.
  Columns panel(int i, int64_t bytes) const {
    Columns other = *this;
    const auto further = [&](auto*& p) {
      p = reinterpret_cast<std::remove_reference_t<decltype(p)>>(reinterpret_cast<const std::byte*>(p) +
                                                                 i * bytes);
    };
    further(other.quants);
    further(other.scales);
    further(other.sums);
    further(other.mins);
    return other;
  }
  Columns from(int c) const {
    Columns rest = *this;
    rest.quants += c * stride;
    rest.scales += c;
    rest.sums += c;
    rest.mins += c;
    return rest;
  }
};

// A quad of inputs, as often as there are rows.
HWY_INLINE hn::Vec<decltype(di8)> for_all_rows(int32_t quad) {
  return hn::BitCast(di8, hn::Set(di32, quad));
}

// Lines of memory that are asked for while a block is worked on, some at each step. They are of the blocks
// after the next, in this tile or, behind it, in the next one: the hardware's prefetchers lose their way at
// the end of a page.
struct Ahead {
  const std::byte* at;
  int lines;  // a step

  template <typename Type>
  static Ahead of(const TileJob& job, int64_t b, int part, int parts) {
    constexpr int64_t distance = Type::inputs == 256 ? 2 : 6;
    constexpr auto bytes = static_cast<int64_t>(sizeof(typename Type::Tile));
    const int lines = static_cast<int>(bytes / 64 + Type::steps * parts - 1) / (Type::steps * parts);
    return {job.tile + (b + distance) * bytes + 64 * lines * Type::steps * part, lines};
  }

  HWY_INLINE void step() {
    for (int i = 0; i < lines; ++i) hwy::Prefetch(at + 64 * i);
    at += 64 * lines;
  }
};

}  // namespace lanerope::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
