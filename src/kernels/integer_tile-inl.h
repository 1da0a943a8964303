// SPDX-License-Identifier: Apache-2.0
// Included once per instruction set by the integer kernels; see Highway's foreach_target.h.
#if defined(LANEROPE_INTEGER_TILE_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef LANEROPE_INTEGER_TILE_INL
#undef LANEROPE_INTEGER_TILE_INL
#else
#define LANEROPE_INTEGER_TILE_INL
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

HWY_INLINE hn::Vec<decltype(di8)> quad_of(const std::byte* p) {
  return hn::BitCast(di8, hn::Set(di32, *reinterpret_cast<const int32_t*>(p)));
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

// Where one panel of C columns lies, from some block on.
struct PanelColumns {
  const std::byte* quads;  // [4, C, inputs / 4]
  const float* scales;     // [C, inputs / layout.block()]
  const int32_t* sums;     // [C, inputs / 32 or 16]
  const float* mins;       // [C, inputs / 32]

  PanelColumns(const TileJob& job, int panel, int columns) {
    const ActivationLayout& layout = *job.layout;
    const std::byte* base = job.columns + panel * ActivationLayout::panel_columns * layout.column_bytes();
    quads = base;
    scales = reinterpret_cast<const float*>(base + layout.scales() * columns);
    sums = reinterpret_cast<const int32_t*>(base + layout.sums() * columns);
    mins = reinterpret_cast<const float*>(base + layout.mins() * columns);
  }

  void advance(size_t bytes) {
    quads += bytes;
    scales += bytes / sizeof(float);
    sums += bytes / sizeof(int32_t);
    mins += bytes / sizeof(float);
  }
};

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

// Adds block b of the tile to out [tile_rows, columns].
template <typename Type, int columns>
HWY_INLINE void add_block(const TileJob& job, const PanelColumns& x, int64_t b, Ahead ahead, float* out) {
  const auto& tile = reinterpret_cast<const typename Type::Tile*>(job.tile)[b];
  const PanelColumns at = Type::template at<columns>(x, b);
  for (int row = 0; row < tile_rows; row += rows_at_once) {
    Type::template block<columns>(tile, row, at, ahead, out + row);
    ahead.lines = 0;
  }
}

// One panel of columns over all inputs. The first one brings the tile from memory.
template <typename Type, int columns>
void run_panel(const TileJob& job, int64_t n_blocks, int panel) {
  const PanelColumns x(job, panel, columns);
  float* out = job.out + panel * ActivationLayout::panel_columns * tile_rows;
  for (int64_t b = 0; b < n_blocks; ++b) {
    const Ahead ahead = panel == 0 ? Ahead::of<Type>(job, b, 0, 1) : Ahead{nullptr, 0};
    add_block<Type, columns>(job, x, b, ahead, out);
  }
}

// Calls body<columns>() for a panel of 1 to 8 columns.
template <typename Body>
void with_columns(int columns, const Body& body) {
  switch (columns) {
    case 1:
      return body.template operator()<1>();
    case 2:
      return body.template operator()<2>();
    case 3:
      return body.template operator()<3>();
    case 4:
      return body.template operator()<4>();
    case 5:
      return body.template operator()<5>();
    case 6:
      return body.template operator()<6>();
    case 7:
      return body.template operator()<7>();
    default:
      return body.template operator()<8>();
  }
}

// One block, for one of several panels, each of which asks for its share of lines.
template <typename Type, int columns>
void run_block(const TileJob& job, const PanelColumns& x, int64_t b, int panel) {
  Ahead ahead = Ahead::of<Type>(job, b, panel, job.n_columns / ActivationLayout::panel_columns);
  for (int i = 0; i < Type::steps; ++i) ahead.step();
  add_block<Type, columns>(job, x, b, {nullptr, 0},
                           job.out + panel * ActivationLayout::panel_columns * tile_rows);
}

template <typename Type>
void run_tile(const TileJob& job) {
  const int64_t n_blocks = job.layout->n_in / Type::inputs;
  for (int i = 0; i < job.n_columns * tile_rows; i += vector_size) hn::Store(hn::Zero(df), df, job.out + i);
  // A few panels take turns with the whole tile, which the second cache holds; many with each of its blocks.
  if (job.n_columns <= few_columns) {
    for (int c = 0; c < job.n_columns; c += ActivationLayout::panel_columns) {
      with_columns(HWY_MIN(ActivationLayout::panel_columns, job.n_columns - c), [&]<int columns>() {
        run_panel<Type, columns>(job, n_blocks, c / ActivationLayout::panel_columns);
      });
    }
    return;
  }
  const int panels = job.n_columns / ActivationLayout::panel_columns;
  const int tail = job.n_columns % ActivationLayout::panel_columns;
  const size_t group_bytes = ActivationLayout::panel_columns * job.layout->column_bytes();
  const PanelColumns first(job, 0, ActivationLayout::panel_columns);
  const PanelColumns last(job, panels, tail);
  for (int64_t b = 0; b < n_blocks; ++b) {
    PanelColumns x = first;
    for (int g = 0; g < panels; ++g) {
      run_block<Type, 8>(job, x, b, g);
      x.advance(group_bytes);
    }
    if (tail > 0) {
      with_columns(tail, [&]<int columns>() { run_block<Type, columns>(job, last, b, panels); });
    }
  }
}

}  // namespace lanerope::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
