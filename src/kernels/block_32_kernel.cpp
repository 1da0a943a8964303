// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/block_32_kernel.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, as it wants.
#include "kernels/integer_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace lanerope::kernels::HWY_NAMESPACE {

// unpack() gives two quads, the weights of eight inputs. They are in no struct, as in k_quant_kernel.cpp.
struct Q40 {
  using Tile = Q40Tile;
  static constexpr bool narrow = true;
  static constexpr int offset_bits = 3;  // stored plus 8
  static HWY_INLINE void unpack(const Tile& tile, int pair, int row, U8* quads) {
    const U8 v = hn::LoadU(du8, tile.quants[pair] + 4 * row);
    quads[0] = low_nibbles(v);
    quads[1] = high_nibbles(v);
  }
};

struct Q80 {
  using Tile = Q80Tile;
  static constexpr bool narrow = false;
  static constexpr int offset_bits = 7;  // stored plus 128
  static HWY_INLINE void unpack(const Tile& tile, int pair, int row, U8* quads) {
    for (int q = 0; q < 2; ++q) quads[q] = hn::LoadU(du8, tile.quants[2 * pair + q] + 4 * row);
  }
};

template <typename Format>
struct Block32 {
  using Tile = typename Format::Tile;
  static constexpr int64_t inputs = 64;
  static constexpr int steps = 2;

  template <int columns>
  static HWY_INLINE PanelColumns at(PanelColumns x, int64_t b) {
    x.quads += b * inputs * columns;
    x.scales += b * 2 * columns;
    x.sums += b * 2 * columns;
    return x;
  }

  // out [tile_rows, columns] += the block's share of rows [row, row + rows_at_once).
  template <int columns>
  static HWY_INLINE void block(const Tile& tile, int row, const PanelColumns& x, Ahead ahead,
                               float* HWY_RESTRICT out) {
    for (int b = 0; b < steps; ++b) {
      ahead.step();
      I32 dot[vectors][columns];
      for (int c = 0; c < columns; ++c) {
        const I32 start = hn::ShiftLeft<Format::offset_bits>(hn::Set(di32, x.sums[b * columns + c]));
        for (int v = 0; v < vectors; ++v) dot[v][c] = start;
      }
      for (int pair = 4 * b; pair < 4 * b + 4; ++pair) {
        U8 w[vectors][2];
        for (int v = 0; v < vectors; ++v) Format::unpack(tile, pair, row + v * vector_size, w[v]);
        for (int q = 0; q < 2; ++q) {
          for (int c = 0; c < columns; ++c) {
            const auto quad = quad_of(x.quads + 4 * ((2 * pair + q) * columns + c));
            for (int v = 0; v < vectors; ++v) dot[v][c] = dot4<Format::narrow>(w[v][q], quad, dot[v][c]);
          }
        }
      }
      for (int v = 0; v < vectors; ++v) {
        const F scale = load_f16(tile.scale[b] + row + v * vector_size);
        for (int c = 0; c < columns; ++c) {
          float* at = out + c * tile_rows + v * vector_size;
          const F both = hn::Mul(scale, hn::Set(df, x.scales[b * columns + c]));
          hn::Store(hn::MulAdd(both, hn::ConvertTo(df, dot[v][c]), hn::Load(df, at)), df, at);
        }
      }
    }
  }
};

void tile_q4_0(const TileJob& job) {
  run_tile<Block32<Q40>>(job);
}
void tile_q8_0(const TileJob& job) {
  run_tile<Block32<Q80>>(job);
}

}  // namespace lanerope::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lanerope::kernels {

HWY_EXPORT(tile_q4_0);
HWY_EXPORT(tile_q8_0);

TileKernel block_32_kernel(ggml_type type) {
  switch (type) {
    case GGML_TYPE_Q4_0:
      return HWY_DYNAMIC_POINTER(tile_q4_0);
    case GGML_TYPE_Q8_0:
      return HWY_DYNAMIC_POINTER(tile_q8_0);
    default:
      return nullptr;
  }
}

}  // namespace lanerope::kernels
#endif
