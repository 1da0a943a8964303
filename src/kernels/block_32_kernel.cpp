// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/block_32_kernel.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, as it wants.
#include "kernels/integer_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace lanerope::HWY_NAMESPACE {

struct Q40 {
  using Tile = Q40Tile;
  static constexpr bool narrow = true;
  static constexpr int offset_bits = 3;  // stored plus 8
  static HWY_INLINE U8 unpack(const Tile& tile, int quad, int row) {
    const U8 v = hn::LoadU(du8, tile.quants[quad / 2] + 4 * row);
    return quad % 2 == 0 ? low_nibbles(v) : high_nibbles(v);
  }
};

struct Q80 {
  using Tile = Q80Tile;
  static constexpr bool narrow = false;
  static constexpr int offset_bits = 7;  // stored plus 128
  static HWY_INLINE U8 unpack(const Tile& tile, int quad, int row) {
    return hn::LoadU(du8, tile.quants[quad] + 4 * row);
  }
};

template <typename Format>
struct Block32 {
  using Tile = typename Format::Tile;
  static constexpr int64_t inputs = 64;

  template <int columns>
  static HWY_INLINE void block(const Tile& tile, int row, const GroupBlock& x, F (&total)[columns]) {
    for (int b = 0; b < 2; ++b) {
      I32 dot[columns];
      for (int c = 0; c < columns; ++c) {
        dot[c] = hn::ShiftLeft<Format::offset_bits>(hn::Set(di32, x.sums[b * columns + c]));
      }
      for (int q = 8 * b; q < 8 * b + 8; ++q) {
        const U8 w = Format::unpack(tile, q, row);
        for (int c = 0; c < columns; ++c) {
          dot[c] = dot4<Format::narrow>(w, quad_of(x.quads + 4 * (q * columns + c)), dot[c]);
        }
      }
      const F scale = load_f16(tile.scale[b] + row);
      for (int c = 0; c < columns; ++c) {
        const F both = hn::Mul(scale, hn::Set(df, x.scales[b * columns + c]));
        total[c] = hn::MulAdd(both, hn::ConvertTo(df, dot[c]), total[c]);
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

}  // namespace lanerope::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lanerope {

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

}  // namespace lanerope
#endif
