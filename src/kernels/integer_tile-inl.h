// SPDX-License-Identifier: Apache-2.0
// Included once per instruction set by the integer kernels; see Highway's foreach_target.h.
#if defined(LANEROPE_INTEGER_TILE_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef LANEROPE_INTEGER_TILE_INL
#undef LANEROPE_INTEGER_TILE_INL
#else
#define LANEROPE_INTEGER_TILE_INL
#endif

#include <hwy/highway.h>

#include "kernels/tile_kernel.h"

HWY_BEFORE_NAMESPACE();
namespace lanerope::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

const hn::CappedTag<float, tile_rows> df;
const hn::RebindToSigned<decltype(df)> di32;
const hn::Repartition<int8_t, decltype(df)> di8;
const hn::Repartition<uint8_t, decltype(df)> du8;
const hn::Repartition<uint16_t, decltype(df)> du16;
using F = hn::Vec<decltype(df)>;
using I32 = hn::Vec<decltype(di32)>;
using U8 = hn::Vec<decltype(du8)>;
// Rows that one vector holds; a tile is worked through in tile_rows / lanes parts.
constexpr int lanes = static_cast<int>(hn::MaxLanes(df));

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

// Where one group of C columns lies for block b of the tile.
struct GroupBlock {
  const std::byte* quads;  // [4, C, inputs / 4]
  const float* scales;     // [C, inputs / layout.block()]
  const int32_t* sums;
  const float* mins;
};

inline GroupBlock group_block(const TileJob& job, int group, int columns, int64_t first) {
  const ColumnLayout& layout = *job.layout;
  const std::byte* base = job.columns + group * ColumnLayout::group_columns * layout.column_bytes();
  const int64_t per_sum = layout.form == ColumnForm::blocks_of_32 ? 32 : 16;
  return {base + first * columns,
          reinterpret_cast<const float*>(base + layout.scales() * columns) + first / layout.block() * columns,
          reinterpret_cast<const int32_t*>(base + layout.sums() * columns) + first / per_sum * columns,
          reinterpret_cast<const float*>(base + layout.mins() * columns) + first / 32 * columns};
}

// One group and rows [row, row + lanes), over all inputs. Type::block adds one block of the tile.
template <typename Type, int columns>
void run_group(const TileJob& job, int64_t n_blocks) {
  const auto* tile = reinterpret_cast<const typename Type::Tile*>(job.tile);
  for (int row = 0; row < tile_rows; row += lanes) {
    F total[columns];
    for (int c = 0; c < columns; ++c) total[c] = hn::Zero(df);
    for (int64_t b = 0; b < n_blocks; ++b) {
      Type::template block<columns>(tile[b], row, group_block(job, 0, columns, b * Type::inputs), total);
    }
    for (int c = 0; c < columns; ++c) hn::Store(total[c], df, job.out + c * tile_rows + row);
  }
}

// One block, totals kept in memory: for several groups.
template <typename Type, int columns>
void run_block(const TileJob& job, int64_t b, int row, int group) {
  const auto* tile = reinterpret_cast<const typename Type::Tile*>(job.tile);
  float* out = job.out + group * ColumnLayout::group_columns * tile_rows + row;
  F total[columns];
  for (int c = 0; c < columns; ++c) total[c] = hn::Load(df, out + c * tile_rows);
  Type::template block<columns>(tile[b], row, group_block(job, group, columns, b * Type::inputs), total);
  for (int c = 0; c < columns; ++c) hn::Store(total[c], df, out + c * tile_rows);
}

template <typename Type>
void run_tile(const TileJob& job) {
  const int64_t n_blocks = job.layout->n_in / Type::inputs;
  switch (job.n_columns) {
    case 1:
      return run_group<Type, 1>(job, n_blocks);
    case 2:
      return run_group<Type, 2>(job, n_blocks);
    case 3:
      return run_group<Type, 3>(job, n_blocks);
    case 4:
      return run_group<Type, 4>(job, n_blocks);
    case 5:
      return run_group<Type, 5>(job, n_blocks);
    case 6:
      return run_group<Type, 6>(job, n_blocks);
    case 7:
      return run_group<Type, 7>(job, n_blocks);
    case 8:
      return run_group<Type, 8>(job, n_blocks);
    default:
      break;
  }
  for (int i = 0; i < job.n_columns * tile_rows; i += lanes) hn::Store(hn::Zero(df), df, job.out + i);
  const int groups = job.n_columns / ColumnLayout::group_columns;
  const int tail = job.n_columns % ColumnLayout::group_columns;
  for (int64_t b = 0; b < n_blocks; ++b) {
    for (int row = 0; row < tile_rows; row += lanes) {
      for (int g = 0; g < groups; ++g) run_block<Type, 8>(job, b, row, g);
      switch (tail) {
        case 1:
          run_block<Type, 1>(job, b, row, groups);
          break;
        case 2:
          run_block<Type, 2>(job, b, row, groups);
          break;
        case 3:
          run_block<Type, 3>(job, b, row, groups);
          break;
        case 4:
          run_block<Type, 4>(job, b, row, groups);
          break;
        case 5:
          run_block<Type, 5>(job, b, row, groups);
          break;
        case 6:
          run_block<Type, 6>(job, b, row, groups);
          break;
        case 7:
          run_block<Type, 7>(job, b, row, groups);
          break;
        default:
          break;
      }
    }
  }
}

}  // namespace lanerope::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
