// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/block_32_kernel.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, as it wants.
#include "kernels/integer_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace lanerope::kernels::HWY_NAMESPACE {

// unpack() gives two quads, the weights of eight inputs: the `pair`th, which is number 4b + p of block b.
// They are in no struct, as in k_quant_kernel.cpp.
struct Q40 {
  using Tile = Q40Tile;
  static constexpr bool narrow = true;
  static constexpr bool has_min = false;
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
  static constexpr bool has_min = false;
  static constexpr int offset_bits = 7;  // stored plus 128
  static HWY_INLINE void unpack(const Tile& tile, int pair, int row, U8* quads) {
    for (int q = 0; q < 2; ++q) quads[q] = hn::LoadU(du8, tile.quants[2 * pair + q] + 4 * row);
  }
};

struct Q41 {
  using Tile = Q41Tile;
  static constexpr bool narrow = true;
  static constexpr bool has_min = true;
  static constexpr int offset_bits = 0;
  static HWY_INLINE void unpack(const Tile& tile, int pair, int row, U8* quads) {
    const U8 v = hn::LoadU(du8, tile.quants[pair] + 4 * row);
    quads[0] = low_nibbles(v);
    quads[1] = high_nibbles(v);
  }
};

template <typename Of>
struct FiveBits {
  using Tile = Of;
  static constexpr bool narrow = true;
  static HWY_INLINE void unpack(const Tile& tile, int pair, int row, U8* quads) {
    const U8 v = hn::LoadU(du8, tile.quants[pair] + 4 * row);
    const U8 h = hn::LoadU(du8, tile.high[pair / 4] + 4 * row);
    const U8 bit = hn::Set(du8, uint8_t{16});
    switch (pair % 4) {
      case 0:
        quads[0] = hn::OrAnd(low_nibbles(v), up<4>(h), bit);
        quads[1] = hn::OrAnd(high_nibbles(v), up<3>(h), bit);
        break;
      case 1:
        quads[0] = hn::OrAnd(low_nibbles(v), up<2>(h), bit);
        quads[1] = hn::OrAnd(high_nibbles(v), up<1>(h), bit);
        break;
      case 2:
        quads[0] = hn::OrAnd(low_nibbles(v), h, bit);
        quads[1] = hn::OrAnd(high_nibbles(v), down<1>(h), bit);
        break;
      default:
        quads[0] = hn::OrAnd(low_nibbles(v), down<2>(h), bit);
        quads[1] = hn::OrAnd(high_nibbles(v), down<3>(h), bit);
        break;
    }
  }
};

struct Q50 : FiveBits<Q50Tile> {
  static constexpr bool has_min = false;
  static constexpr int offset_bits = 4;  // stored plus 16
};

struct Q51 : FiveBits<Q51Tile> {
  static constexpr bool has_min = true;
  static constexpr int offset_bits = 0;
};

HWY_INLINE void look_up(const uint8_t* values, U8 places, U8* quads) {
  const U8 list = hn::LoadDup128(du8, values);
  quads[0] = hn::TableLookupBytes(list, low_nibbles(places));
  quads[1] = hn::TableLookupBytes(list, high_nibbles(places));
}

struct Iq4Nl {
  using Tile = Q40Tile;
  static constexpr bool narrow = false;
  static constexpr bool has_min = false;
  static constexpr int offset_bits = 7;
  static HWY_INLINE void unpack(const Tile& tile, int pair, int row, U8* quads) {
    look_up(iq4_values_plus_128.values, hn::LoadU(du8, tile.quants[pair] + 4 * row), quads);
  }
};

struct MxFp4 {
  using Tile = Q40Tile;
  static constexpr bool narrow = true;
  static constexpr bool has_min = false;
  static constexpr int offset_bits = 4;
  static HWY_INLINE void unpack(const Tile& tile, int pair, int row, U8* quads) {
    look_up(fp4_values_plus_16.values, hn::LoadU(du8, tile.quants[pair] + 4 * row), quads);
  }
};

template <typename Format>
struct Block32 {
  using Tile = typename Format::Tile;
  static constexpr int64_t inputs = 64;
  static constexpr int steps = 2;

  static HWY_INLINE Columns at(Columns x, int64_t b) {
    x.quants += b * inputs;
    x.scales += b * 2 * x.width;
    x.sums += b * 2 * x.width;
    return x;
  }

  static HWY_INLINE F scale(const uint16_t* p) {
    if constexpr (std::is_same_v<Format, MxFp4>) return load_bf16(p);
    return load_f16(p);
  }

  // out [tile_rows, columns] += the block's share of rows [row, row + rows_at_once).
  template <int columns>
  static HWY_INLINE void block(const Tile& tile, int row, const Columns& x, Ahead ahead,
                               float* HWY_RESTRICT out) {
    for (int b = 0; b < steps; ++b) {
      ahead.step();
      I32 dot[vectors][columns];
      for (int c = 0; c < columns; ++c) {
        const I32 start =
            Format::has_min ? hn::Zero(di32) : hn::ShiftLeft<Format::offset_bits>(hn::Set(di32, x.sum(b, c)));
        for (int v = 0; v < vectors; ++v) dot[v][c] = start;
      }
      for (int p = 0; p < 4; ++p) {
        const int pair = 4 * b + p;
        U8 w[vectors][2];
        for (int v = 0; v < vectors; ++v) Format::unpack(tile, pair, row + v * vector_size, w[v]);
        for (int q = 0; q < 2; ++q) {
          for (int c = 0; c < columns; ++c) {
            const auto quad = for_all_rows(x.quad(2 * pair + q, c));
            for (int v = 0; v < vectors; ++v) dot[v][c] = dot4<Format::narrow>(w[v][q], quad, dot[v][c]);
          }
        }
      }
      for (int v = 0; v < vectors; ++v) {
        const F scale_of_rows = scale(tile.scale[b] + row + v * vector_size);
        for (int c = 0; c < columns; ++c) {
          float* at = out + c * tile_rows + v * vector_size;
          const F both = hn::Mul(scale_of_rows, hn::Set(df, x.scale(b, c)));
          F sum = hn::MulAdd(both, hn::ConvertTo(df, dot[v][c]), hn::Load(df, at));
          if constexpr (Format::has_min) {
            const F min = load_f16(tile.min[b] + row + v * vector_size);
            const float total = x.scale(b, c) * static_cast<float>(x.sum(b, c));
            sum = hn::NegMulAdd(min, hn::Set(df, total), sum);
          }
          hn::Store(sum, df, at);
        }
      }
    }
  }

#if HWY_TARGET == HWY_AVX3_DL
  static constexpr int unpacked_quads = 2;
  static constexpr int amx_inputs = 32;
  static constexpr int amx_offset = Format::has_min ? 0 : 1 << Format::offset_bits;

  static HWY_INLINE void unpack(const Tile& tile, int pair, int row, U8* quads) {
    Format::unpack(tile, pair, row, quads);
  }

  // sum [16 rows, columns] += step b's share, of rows from `row` on.
  template <int columns>
  static HWY_INLINE void add_dots(const Tile& tile, BlockStep at, const Columns& x, const AmxDots& dots,
                                  F (&sum)[columns]) {
    const int half = at.b % 2;
    const F scale_of_rows = scale(tile.scale[half] + at.row);
    for (int c = 0; c < columns; ++c) {
      const F both = hn::Mul(scale_of_rows, hn::Set(df, x.scale(at.b, c)));
      sum[c] = hn::MulAdd(both, hn::ConvertTo(df, hn::Load(di32, dots.of[c])), sum[c]);
    }
    if constexpr (Format::has_min) {
      const F min = load_f16(tile.min[half] + at.row);
      const F scales = hn::LoadN(df, x.scales + at.b * x.width, columns);
      HWY_ALIGN float total[vector_size];
      hn::Store(hn::Mul(scales, hn::ConvertTo(df, hn::LoadN(di32, x.sums + at.b * x.width, columns))), df,
                total);
      for (int c = 0; c < columns; ++c) sum[c] = hn::NegMulAdd(min, hn::Set(df, total[c]), sum[c]);
    }
  }

  // out [tile_rows, columns] += some blocks' share, as block() does. While sums of one half of the rows are
  // scaled the dot products of the other are made.
  template <int columns>
  static HWY_INLINE void add_unpacked(const UnpackedBlocks<Tile>& blocks, const Columns& x,
                                      float* HWY_RESTRICT out) {
    const int n_steps = 2 * blocks.n_blocks;
    AmxDots dots[2][8];
    amx_dots_of_32<columns>({x.quants, x.stride, blocks.of(0, 0)}, n_steps, dots[0]);
    for (int half = 0; half < 2; ++half) {
      const int row = 16 * half;
      if (half == 0) amx_dots_of_32<columns>({x.quants, x.stride, blocks.of(0, 16)}, n_steps, dots[1]);
      F sum[columns];
      for (int c = 0; c < columns; ++c) sum[c] = hn::Load(df, out + c * tile_rows + row);
      for (int b = 0; b < n_steps; ++b) {
        Ahead ahead = blocks.ahead;
        ahead.at += b / 2 * sizeof(Tile) + b % 2 * 64 * ahead.lines;
        if (half == 0) ahead.step();
        add_dots<columns>(blocks.tile[b / 2], {b, row}, x, dots[half][b], sum);
      }
      for (int c = 0; c < columns; ++c) hn::Store(sum[c], df, out + c * tile_rows + row);
    }
  }
#endif
};

void tile_q4_0(const TileJob& job) {
  run_tile<Block32<Q40>>(job);
}
void tile_q4_1(const TileJob& job) {
  run_tile<Block32<Q41>>(job);
}
void tile_q5_0(const TileJob& job) {
  run_tile<Block32<Q50>>(job);
}
void tile_q5_1(const TileJob& job) {
  run_tile<Block32<Q51>>(job);
}
void tile_q8_0(const TileJob& job) {
  run_tile<Block32<Q80>>(job);
}
void tile_iq4_nl(const TileJob& job) {
  run_tile<Block32<Iq4Nl>>(job);
}
void tile_mxfp4(const TileJob& job) {
  run_tile<Block32<MxFp4>>(job);
}

}  // namespace lanerope::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lanerope::kernels {

HWY_EXPORT(tile_q4_0);
HWY_EXPORT(tile_q4_1);
HWY_EXPORT(tile_q5_0);
HWY_EXPORT(tile_q5_1);
HWY_EXPORT(tile_q8_0);
HWY_EXPORT(tile_iq4_nl);
HWY_EXPORT(tile_mxfp4);

TileKernel block_32_kernel(ggml_type type) {
  switch (type) {
    case GGML_TYPE_Q4_0:
    case GGML_TYPE_Q1_0:
    case GGML_TYPE_Q2_0:
    case GGML_TYPE_TQ1_0:
    case GGML_TYPE_TQ2_0:
      return HWY_DYNAMIC_POINTER(tile_q4_0);
    case GGML_TYPE_Q4_1:
      return HWY_DYNAMIC_POINTER(tile_q4_1);
    case GGML_TYPE_Q5_0:
      return HWY_DYNAMIC_POINTER(tile_q5_0);
    case GGML_TYPE_Q5_1:
      return HWY_DYNAMIC_POINTER(tile_q5_1);
    case GGML_TYPE_Q8_0:
      return HWY_DYNAMIC_POINTER(tile_q8_0);
    case GGML_TYPE_IQ4_NL:
      return HWY_DYNAMIC_POINTER(tile_iq4_nl);
    case GGML_TYPE_MXFP4:
      return HWY_DYNAMIC_POINTER(tile_mxfp4);
    default:
      return nullptr;
  }
}

}  // namespace lanerope::kernels
#endif
