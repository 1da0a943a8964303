// SPDX-License-Identifier: Apache-2.0
// Included once per instruction set by the kernels of types with blocks of 256; see Highway's
// foreach_target.h.
#if defined(LANEROPE_K_QUANT_TILE_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef LANEROPE_K_QUANT_TILE_INL
#undef LANEROPE_K_QUANT_TILE_INL
#else
#define LANEROPE_K_QUANT_TILE_INL
#endif

#include "kernels/integer_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace lanerope::kernels::HWY_NAMESPACE {

// Blocks of 256 inputs in which each one or two sixteens have a scale of their own. A Format has the Tile,
// `sixteens` that share a scale, `narrow`, `has_min` or the `offset` of its quants, unpack(), which gives
// four quads, the weights of 16 inputs, and scale(tile, block, row), that of rows from `row` on.
template <typename Format>
struct KQuant {
  using Tile = typename Format::Tile;
  static constexpr int64_t inputs = 256;
  static constexpr int sixteens = Format::sixteens;
  static constexpr int steps = 16 / sixteens;

  static HWY_INLINE Columns at(Columns x, int64_t b) {
    x.quants += b * inputs;
    x.scales += b * x.width;
    x.sums += b * 16 * x.width;
    x.mins += b * 8 * x.width;
    return x;
  }

  // Minus the offset's share of the sum: x.sums holds -32 times the sum of sixteen quants.
  static HWY_INLINE I32 start(const Columns& x, int b, int c) {
    if constexpr (Format::has_min) {
      return hn::Zero(di32);
    } else {
      int32_t sum = x.sum(b * sixteens, c);
      if constexpr (sixteens == 2) sum += x.sum(2 * b + 1, c);
      return hn::Set(di32, sum * (Format::offset / 32));
    }
  }

  // out [tile_rows, columns] += the block's share of rows [row, row + rows_at_once).
  template <int columns>
  static HWY_INLINE void block(const Tile& tile, int row, const Columns& x, Ahead ahead,
                               float* HWY_RESTRICT out) {
    HWY_ALIGN float sum[columns * rows_at_once];
    for (int i = 0; i < columns * rows_at_once; i += vector_size) hn::Store(hn::Zero(df), df, sum + i);
    for (int b = 0; b < steps; ++b) {
      ahead.step();
      I32 dot[vectors][columns];
      for (int c = 0; c < columns; ++c) {
        for (int v = 0; v < vectors; ++v) {
          dot[v][c] = start(x, b, c);
        }
      }
      for (int s = 0; s < sixteens; ++s) {
        const int sixteen = b * sixteens + s;
        U8 w[vectors][4];
        for (int v = 0; v < vectors; ++v) Format::unpack(tile, sixteen, row + v * vector_size, w[v]);
        for (int q = 0; q < 4; ++q) {
          for (int c = 0; c < columns; ++c) {
            const auto quad = for_all_rows(x.quad(4 * sixteen + q, c));
            for (int v = 0; v < vectors; ++v) dot[v][c] = dot4<Format::narrow>(w[v][q], quad, dot[v][c]);
          }
        }
      }
      for (int v = 0; v < vectors; ++v) {
        const int r = row + v * vector_size;
        float* at = sum + v * vector_size;
        const F scale = Format::scale(tile, b, r);
        if constexpr (Format::has_min) {
          const F min = hn::Mul(load_f16(tile.min + r), load_small(tile.block_min[b] + r));
          for (int c = 0; c < columns; ++c, at += rows_at_once) {
            const F scaled = hn::MulAdd(scale, hn::ConvertTo(df, dot[v][c]), hn::Load(df, at));
            hn::Store(hn::NegMulAdd(min, hn::Set(df, x.min(b, c)), scaled), df, at);
          }
        } else {
          for (int c = 0; c < columns; ++c, at += rows_at_once) {
            hn::Store(hn::MulAdd(scale, hn::ConvertTo(df, dot[v][c]), hn::Load(df, at)), df, at);
          }
        }
      }
    }
    for (int c = 0; c < columns; ++c) {
      const F scale = hn::Set(df, x.scale(0, c));
      for (int v = 0; v < vectors; ++v) {
        float* at = out + c * tile_rows + v * vector_size;
        const F total =
            hn::MulAdd(scale, hn::Load(df, sum + c * rows_at_once + v * vector_size), hn::Load(df, at));
        hn::Store(total, df, at);
      }
    }
  }

#if HWY_TARGET == HWY_AVX3_DL
  static constexpr int unpacked_quads = 4;
  static constexpr int amx_inputs = sixteens == 2 ? 32 : 0;  // half of its registers would be empty
  static constexpr int amx_offset = [] {
    if constexpr (Format::has_min)
      return 0;
    else
      return Format::offset;
  }();

  static HWY_INLINE void unpack(const Tile& tile, int sixteen, int row, U8* quads) {
    Format::unpack(tile, sixteen, row, quads);
  }

  // sum [16 rows, columns] += step b's share, of rows from `row` on.
  template <int columns>
  static HWY_INLINE void add_dots(const Tile& tile, BlockStep at, const Columns& x, const AmxDots& dots,
                                  F (&sum)[columns]) {
    const F scale = Format::scale(tile, at.b, at.row);
    for (int c = 0; c < columns; ++c)
      sum[c] = hn::MulAdd(scale, hn::ConvertTo(df, hn::Load(di32, dots.of[c])), sum[c]);
    if constexpr (Format::has_min) {
      const F min = hn::Mul(load_f16(tile.min + at.row), load_small(tile.block_min[at.b] + at.row));
      for (int c = 0; c < columns; ++c) sum[c] = hn::NegMulAdd(min, hn::Set(df, x.min(at.b, c)), sum[c]);
    }
  }

  // out [tile_rows, columns] += a block's share, as block() does. While sums of one half of the rows are
  // scaled the dot products of the other are made.
  template <int columns>
  static HWY_INLINE void add_unpacked(const UnpackedBlocks<Tile>& blocks, const Columns& x,
                                      float* HWY_RESTRICT out) {
    Ahead ahead = blocks.ahead;
    AmxDots dots[2][8];
    amx_dots_of_32<columns>({x.quants, x.stride, blocks.of(0, 0)}, 8, dots[0]);
    for (int half = 0; half < 2; ++half) {
      const int row = 16 * half;
      if (half == 0) amx_dots_of_32<columns>({x.quants, x.stride, blocks.of(0, 16)}, 8, dots[1]);
      F sum[columns];
      for (int c = 0; c < columns; ++c) sum[c] = hn::Zero(df);
      for (int b = 0; b < 8; ++b) {
        if (half == 0) ahead.step();
        add_dots<columns>(*blocks.tile, {b, row}, x, dots[half][b], sum);
      }
      for (int c = 0; c < columns; ++c) {
        float* at = out + c * tile_rows + row;
        hn::Store(hn::MulAdd(hn::Set(df, x.scale(0, c)), sum[c], hn::Load(df, at)), df, at);
      }
    }
  }
#endif
};

}  // namespace lanerope::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
