// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/k_quant_kernel.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, as it wants.
#include "kernels/integer_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace lanerope::HWY_NAMESPACE {

// Four quads: the weights of 16 inputs.
struct Quads {
  U8 quad[4];
};

struct Q4K {
  using Tile = Q4KTile;
  static constexpr bool has_min = true;
  static HWY_INLINE Quads unpack(const Tile& tile, int sixteen, int row) {
    const U8 a = hn::LoadU(du8, tile.quants[2 * sixteen] + 4 * row);
    const U8 b = hn::LoadU(du8, tile.quants[2 * sixteen + 1] + 4 * row);
    return {{low_nibbles(a), high_nibbles(a), low_nibbles(b), high_nibbles(b)}};
  }
};

struct Q5K {
  using Tile = Q5KTile;
  static constexpr bool has_min = true;
  static HWY_INLINE Quads unpack(const Tile& tile, int sixteen, int row) {
    const U8 a = hn::LoadU(du8, tile.quants[2 * sixteen] + 4 * row);
    const U8 b = hn::LoadU(du8, tile.quants[2 * sixteen + 1] + 4 * row);
    const U8 h = hn::LoadU(du8, tile.high[sixteen / 2] + 4 * row);
    const U8 bit = hn::Set(du8, uint8_t{16});
    if (sixteen % 2 == 0) {
      return {{hn::OrAnd(low_nibbles(a), up<4>(h), bit), hn::OrAnd(high_nibbles(a), up<3>(h), bit),
               hn::OrAnd(low_nibbles(b), up<2>(h), bit), hn::OrAnd(high_nibbles(b), up<1>(h), bit)}};
    }
    return {{hn::OrAnd(low_nibbles(a), h, bit), hn::OrAnd(high_nibbles(a), down<1>(h), bit),
             hn::OrAnd(low_nibbles(b), down<2>(h), bit), hn::OrAnd(high_nibbles(b), down<3>(h), bit)}};
  }
};

struct Q6K {
  using Tile = Q6KTile;
  static constexpr bool has_min = false;
  static HWY_INLINE Quads unpack(const Tile& tile, int sixteen, int row) {
    const U8 a = hn::LoadU(du8, tile.quants[2 * sixteen] + 4 * row);
    const U8 b = hn::LoadU(du8, tile.quants[2 * sixteen + 1] + 4 * row);
    const U8 h = hn::LoadU(du8, tile.high[sixteen] + 4 * row);
    const U8 bits = hn::Set(du8, uint8_t{48});
    return {{hn::OrAnd(low_nibbles(a), up<4>(h), bits), hn::OrAnd(high_nibbles(a), up<2>(h), bits),
             hn::OrAnd(low_nibbles(b), h, bits), hn::OrAnd(high_nibbles(b), down<2>(h), bits)}};
  }
};

template <typename Format>
struct KQuant {
  using Tile = typename Format::Tile;
  static constexpr int64_t inputs = 256;
  static constexpr int sixteens = Format::has_min ? 2 : 1;  // inputs that share a scale, in sixteens

  template <int columns>
  static HWY_INLINE void block(const Tile& tile, int row, const GroupBlock& x, F (&total)[columns]) {
    const F d = load_f16(tile.scale + row);
    F sum[columns];
    for (int c = 0; c < columns; ++c) sum[c] = hn::Zero(df);
    for (int b = 0; b < 16 / sixteens; ++b) {
      I32 dot[columns];
      for (int c = 0; c < columns; ++c) {
        if constexpr (Format::has_min) {
          dot[c] = hn::Zero(di32);
        } else {
          dot[c] = hn::Set(di32, x.sums[b * columns + c]);
        }
      }
      for (int s = 0; s < sixteens; ++s) {
        const int sixteen = b * sixteens + s;
        const Quads w = Format::unpack(tile, sixteen, row);
        for (int q = 0; q < 4; ++q) {
          for (int c = 0; c < columns; ++c) {
            dot[c] = dot4<true>(w.quad[q], quad_of(x.quads + 4 * ((4 * sixteen + q) * columns + c)), dot[c]);
          }
        }
      }
      const F scale = hn::Mul(d, load_small(tile.block_scale[b] + row));
      for (int c = 0; c < columns; ++c) sum[c] = hn::MulAdd(scale, hn::ConvertTo(df, dot[c]), sum[c]);
      if constexpr (Format::has_min) {
        const F min = hn::Mul(load_f16(tile.min + row), load_small(tile.block_min[b] + row));
        for (int c = 0; c < columns; ++c)
          sum[c] = hn::NegMulAdd(min, hn::Set(df, x.mins[b * columns + c]), sum[c]);
      }
    }
    for (int c = 0; c < columns; ++c) total[c] = hn::MulAdd(hn::Set(df, x.scales[c]), sum[c], total[c]);
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

}  // namespace lanerope::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lanerope {

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

}  // namespace lanerope
#endif
