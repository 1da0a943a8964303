// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/k_quant_kernel.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, as it wants.
#include "kernels/integer_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace lanerope::kernels::HWY_NAMESPACE {

// unpack() gives four quads, the weights of 16 inputs. They are in no struct: its implicit constructor would
// be compiled for the baseline, into which gcc inlines no vector of another instruction set on ARM.
struct Q4K {
  using Tile = Q4KTile;
  static constexpr bool has_min = true;
  static HWY_INLINE void unpack(const Tile& tile, int sixteen, int row, U8* quads) {
    const U8 a = hn::LoadU(du8, tile.quants[2 * sixteen] + 4 * row);
    const U8 b = hn::LoadU(du8, tile.quants[2 * sixteen + 1] + 4 * row);
    quads[0] = low_nibbles(a);
    quads[1] = high_nibbles(a);
    quads[2] = low_nibbles(b);
    quads[3] = high_nibbles(b);
  }
};

struct Q5K {
  using Tile = Q5KTile;
  static constexpr bool has_min = true;
  static HWY_INLINE void unpack(const Tile& tile, int sixteen, int row, U8* quads) {
    const U8 a = hn::LoadU(du8, tile.quants[2 * sixteen] + 4 * row);
    const U8 b = hn::LoadU(du8, tile.quants[2 * sixteen + 1] + 4 * row);
    const U8 h = hn::LoadU(du8, tile.high[sixteen / 2] + 4 * row);
    const U8 bit = hn::Set(du8, uint8_t{16});
    if (sixteen % 2 == 0) {
      quads[0] = hn::OrAnd(low_nibbles(a), up<4>(h), bit);
      quads[1] = hn::OrAnd(high_nibbles(a), up<3>(h), bit);
      quads[2] = hn::OrAnd(low_nibbles(b), up<2>(h), bit);
      quads[3] = hn::OrAnd(high_nibbles(b), up<1>(h), bit);
    } else {
      quads[0] = hn::OrAnd(low_nibbles(a), h, bit);
      quads[1] = hn::OrAnd(high_nibbles(a), down<1>(h), bit);
      quads[2] = hn::OrAnd(low_nibbles(b), down<2>(h), bit);
      quads[3] = hn::OrAnd(high_nibbles(b), down<3>(h), bit);
    }
  }
};

struct Q6K {
  using Tile = Q6KTile;
  static constexpr bool has_min = false;
  static HWY_INLINE void unpack(const Tile& tile, int sixteen, int row, U8* quads) {
    const U8 a = hn::LoadU(du8, tile.quants[2 * sixteen] + 4 * row);
    const U8 b = hn::LoadU(du8, tile.quants[2 * sixteen + 1] + 4 * row);
    const U8 h = hn::LoadU(du8, tile.high[sixteen] + 4 * row);
    const U8 bits = hn::Set(du8, uint8_t{48});
    quads[0] = hn::OrAnd(low_nibbles(a), up<4>(h), bits);
    quads[1] = hn::OrAnd(high_nibbles(a), up<2>(h), bits);
    quads[2] = hn::OrAnd(low_nibbles(b), h, bits);
    quads[3] = hn::OrAnd(high_nibbles(b), down<2>(h), bits);
  }
};

template <typename Format>
struct KQuant {
  using Tile = typename Format::Tile;
  static constexpr int64_t inputs = 256;
  static constexpr int sixteens = Format::has_min ? 2 : 1;  // inputs that share a scale, in sixteens
  static constexpr int steps = 16 / sixteens;

  template <int columns>
  static HWY_INLINE PanelColumns at(PanelColumns x, int64_t b) {
    x.quads += b * inputs * columns;
    x.scales += b * columns;
    x.sums += b * 16 * columns;
    x.mins += b * 8 * columns;
    return x;
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
          dot[v][c] = Format::has_min ? hn::Zero(di32) : hn::Set(di32, x.sums[b * columns + c]);
        }
      }
      for (int s = 0; s < sixteens; ++s) {
        const int sixteen = b * sixteens + s;
        U8 w[vectors][4];
        for (int v = 0; v < vectors; ++v) Format::unpack(tile, sixteen, row + v * vector_size, w[v]);
        for (int q = 0; q < 4; ++q) {
          for (int c = 0; c < columns; ++c) {
            const auto quad = quad_of(x.quads + 4 * ((4 * sixteen + q) * columns + c));
            for (int v = 0; v < vectors; ++v) dot[v][c] = dot4<true>(w[v][q], quad, dot[v][c]);
          }
        }
      }
      for (int v = 0; v < vectors; ++v) {
        const int r = row + v * vector_size;
        float* at = sum + v * vector_size;
        const F scale = hn::Mul(load_f16(tile.scale + r), load_small(tile.block_scale[b] + r));
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

void tile_q4_k(const TileJob& job) {
  run_tile<KQuant<Q4K>>(job);
}
void tile_q5_k(const TileJob& job) {
  run_tile<KQuant<Q5K>>(job);
}
void tile_q6_k(const TileJob& job) {
  run_tile<KQuant<Q6K>>(job);
}

}  // namespace lanerope::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lanerope::kernels {

HWY_EXPORT(tile_q4_k);
HWY_EXPORT(tile_q5_k);
HWY_EXPORT(tile_q6_k);

TileKernel k_quant_kernel(ggml_type type) {
  switch (type) {
    case GGML_TYPE_Q4_K:
      return HWY_DYNAMIC_POINTER(tile_q4_k);
    case GGML_TYPE_Q5_K:
      return HWY_DYNAMIC_POINTER(tile_q5_k);
    case GGML_TYPE_Q6_K:
      return HWY_DYNAMIC_POINTER(tile_q6_k);
    default:
      return nullptr;
  }
}

}  // namespace lanerope::kernels
#endif
