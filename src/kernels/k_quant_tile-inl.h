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

  template <int columns>
  static HWY_INLINE PanelColumns at(PanelColumns x, int64_t b) {
    x.quads += b * inputs * columns;
    x.scales += b * columns;
    x.sums += b * 16 * columns;
    x.mins += b * 8 * columns;
    return x;
  }

  // Minus the offset's share of the sum: x.sums holds -32 times the sum of sixteen quants.
  template <int columns>
  static HWY_INLINE I32 start(const PanelColumns& x, int b, int c) {
    if constexpr (Format::has_min) {
      return hn::Zero(di32);
    } else {
      int32_t sum = x.sums[b * sixteens * columns + c];
      if constexpr (sixteens == 2) sum += x.sums[(2 * b + 1) * columns + c];
      return hn::Set(di32, sum * (Format::offset / 32));
    }
  }

  // out [tile_rows, columns] += the block's share of rows [row, row + rows_at_once).
  template <int columns>
  static HWY_INLINE void block(const Tile& tile, int row, const PanelColumns& x, Ahead ahead,
                               float* HWY_RESTRICT out) {
    HWY_ALIGN float sum[columns * rows_at_once];
    for (int i = 0; i < columns * rows_at_once; i += vector_size) hn::Store(hn::Zero(df), df, sum + i);
    for (int b = 0; b < steps; ++b) {
      ahead.step();
      I32 dot[vectors][columns];
      for (int c = 0; c < columns; ++c) {
        for (int v = 0; v < vectors; ++v) {
          dot[v][c] = start<columns>(x, b, c);
        }
      }
      for (int s = 0; s < sixteens; ++s) {
        const int sixteen = b * sixteens + s;
        U8 w[vectors][4];
        for (int v = 0; v < vectors; ++v) Format::unpack(tile, sixteen, row + v * vector_size, w[v]);
        for (int q = 0; q < 4; ++q) {
          for (int c = 0; c < columns; ++c) {
            const auto quad = quad_of(x.quads + 4 * ((4 * sixteen + q) * columns + c));
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
            hn::Store(hn::NegMulAdd(min, hn::Set(df, x.mins[b * columns + c]), scaled), df, at);
          }
        } else {
          for (int c = 0; c < columns; ++c, at += rows_at_once) {
            hn::Store(hn::MulAdd(scale, hn::ConvertTo(df, dot[v][c]), hn::Load(df, at)), df, at);
          }
        }
      }
    }
    for (int c = 0; c < columns; ++c) {
      const F scale = hn::Set(df, x.scales[c]);
      for (int v = 0; v < vectors; ++v) {
        float* at = out + c * tile_rows + v * vector_size;
        const F total =
            hn::MulAdd(scale, hn::Load(df, sum + c * rows_at_once + v * vector_size), hn::Load(df, at));
        hn::Store(total, df, at);
      }
    }
  }
};

}  // namespace lanerope::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
