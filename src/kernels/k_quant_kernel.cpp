// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/k_quant_kernel.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, as it wants.
#include "kernels/k_quant_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace lanerope::kernels::HWY_NAMESPACE {

// Six bits of scale and of minimum for each 32 inputs.
template <typename Of>
struct WithMinima {
  using Tile = Of;
  static constexpr int sixteens = 2;
  static constexpr bool narrow = true;
  static constexpr bool has_min = true;
  static HWY_INLINE F scale(const Tile& tile, int b, int row) {
    return hn::Mul(load_f16(tile.scale + row), load_small(tile.block_scale[b] + row));
  }
};

// Quads are in no struct: its implicit constructor would be compiled for the baseline, into which gcc inlines
// no vector of another instruction set on ARM.
struct Q4K : WithMinima<Q4KTile> {
  static HWY_INLINE void unpack(const Tile& tile, int sixteen, int row, U8* quads) {
    const U8 a = hn::LoadU(du8, tile.quants[2 * sixteen] + 4 * row);
    const U8 b = hn::LoadU(du8, tile.quants[2 * sixteen + 1] + 4 * row);
    quads[0] = low_nibbles(a);
    quads[1] = high_nibbles(a);
    quads[2] = low_nibbles(b);
    quads[3] = high_nibbles(b);
  }
};

struct Q5K : WithMinima<Q5KTile> {
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
  static constexpr int sixteens = 1;
  static constexpr bool narrow = true;
  static constexpr bool has_min = false;
  static constexpr int offset = 32;
  static HWY_INLINE F scale(const Tile& tile, int b, int row) {
    return hn::Mul(load_f16(tile.scale + row), load_small(tile.block_scale[b] + row));
  }
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
