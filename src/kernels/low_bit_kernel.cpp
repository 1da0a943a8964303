// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/low_bit_kernel.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, as it wants.
#include "kernels/integer_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace lanerope::kernels::HWY_NAMESPACE {

// With quants of two or three bits a weight times the scale of its sixteen still is a byte. Sums over all 256
// inputs of a block are integers then, and floats come in once a block. A table for each row of what its four
// two-bit quants are worth lies in the four bytes that the row has in a vector; 16 bytes hold those of four
// rows, which is what TableLookupBytes looks up in.
alignas(16) constexpr uint8_t first_place[16] = {0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12};

HWY_INLINE U8 copied_to_quad(const uint8_t* bytes) {
  const hn::Rebind<uint8_t, decltype(df)> dt;
  const hn::RebindToUnsigned<decltype(df)> du32;
  return hn::BitCast(du8, hn::Mul(hn::PromoteTo(du32, hn::LoadU(dt, bytes)), hn::Set(du32, 0x01010101U)));
}

// 0, 1, 2 and 3 times the four equal bytes of each row, modulo 256.
HWY_INLINE U8 multiples(U8 quad) {
  const hn::RebindToUnsigned<decltype(df)> du32;
  const U8 odd = hn::BitCast(du8, hn::Set(du32, 0xFF00FF00U));
  const U8 upper = hn::BitCast(du8, hn::Set(du32, 0xFFFF0000U));
  return hn::Add(hn::And(quad, odd), hn::And(hn::Add(quad, quad), upper));
}

// What quad `quad` of 2 bits in each byte of v is worth.
template <int quad>
HWY_INLINE U8 look_up(U8 table, U8 v) {
  const U8 place = hn::LoadDup128(du8, first_place);
  const U8 two_bits = hn::Set(du8, uint8_t{3});
  if constexpr (quad == 0) return hn::TableLookupBytes(table, hn::OrAnd(place, v, two_bits));
  return hn::TableLookupBytes(table, hn::OrAnd(place, down<2 * quad>(v), two_bits));
}

template <int columns>
using Dots = I32[vectors][columns];

// Sums of sixteen quants of two neighbouring sixteens each, negated, as pairs of 16 bits: [8, columns].
template <int columns>
HWY_INLINE void pair_sums(const Columns& x, int32_t* pairs) {
  for (int b = 0; b < 8; ++b) {
    for (int c = 0; c < columns; ++c) {
      const auto first = static_cast<uint32_t>(x.sum(2 * b, c) >> 5);
      const auto second = static_cast<uint32_t>(x.sum(2 * b + 1, c) >> 5);
      pairs[b * columns + c] = static_cast<int32_t>((first & 0xFFFFU) | second << 16);
    }
  }
}

struct Q2K {
  using Tile = Q2KTile;
  static constexpr bool narrow = true;  // at most 3 * 15

  static HWY_INLINE void unpack(const Tile& tile, int sixteen, int row, U8* quads) {
    const U8 table = multiples(low_nibbles(copied_to_quad(tile.scale_min[sixteen] + row)));
    const U8 v = hn::LoadU(du8, tile.quants[sixteen] + 4 * row);
    quads[0] = look_up<0>(table, v);
    quads[1] = look_up<1>(table, v);
    quads[2] = look_up<2>(table, v);
    quads[3] = look_up<3>(table, v);
  }

  template <int columns>
  static HWY_INLINE void begin(const Columns&, int32_t* start) {
    for (int c = 0; c < columns; ++c) start[c] = 0;
  }

  // The minima of two sixteens lie in the 16-bit halves that pair_sums() fills.
  static HWY_INLINE hn::Vec<hn::Repartition<int16_t, decltype(df)>> minima(const Tile& tile, int pair,
                                                                           int row) {
    const hn::Rebind<uint8_t, decltype(df)> dt;
    const hn::Repartition<int16_t, decltype(df)> di16;
    const auto first = hn::PromoteTo(di32, hn::LoadU(dt, tile.scale_min[2 * pair] + row));
    const auto second = hn::PromoteTo(di32, hn::LoadU(dt, tile.scale_min[2 * pair + 1] + row));
    return hn::BitCast(di16, hn::Or(hn::ShiftRight<4>(first), hn::ShiftLeft<16>(hn::ShiftRight<4>(second))));
  }

  template <int columns>
  static HWY_INLINE void add_minima(const Tile& tile, int row, const Columns& x, float* HWY_RESTRICT out) {
    const hn::Repartition<int16_t, decltype(df)> di16;
    HWY_ALIGN int32_t pairs[8 * columns];
    pair_sums<columns>(x, pairs);
    Dots<columns> dot;
    for (int v = 0; v < vectors; ++v) {
      for (int c = 0; c < columns; ++c) dot[v][c] = hn::Zero(di32);
    }
    for (int b = 0; b < 8; ++b) {
      for (int v = 0; v < vectors; ++v) {
        const auto min = minima(tile, b, row + v * vector_size);
        for (int c = 0; c < columns; ++c) {
          const auto pair = hn::BitCast(di16, hn::Set(di32, pairs[b * columns + c]));
          dot[v][c] = hn::Add(dot[v][c], hn::WidenMulPairwiseAdd(di32, min, pair));
        }
      }
    }
    add_scaled<columns>(tile.min + row, x, dot, out);
  }

  template <int columns>
  static HWY_INLINE void add_scaled(const uint16_t* scale, const Columns& x, const Dots<columns>& dot,
                                    float* HWY_RESTRICT out) {
    for (int v = 0; v < vectors; ++v) {
      const F scale_of_rows = load_f16(scale + v * vector_size);
      for (int c = 0; c < columns; ++c) {
        float* at = out + c * tile_rows + v * vector_size;
        const F both = hn::Mul(scale_of_rows, hn::Set(df, x.scale(0, c)));
        hn::Store(hn::MulAdd(both, hn::ConvertTo(df, dot[v][c]), hn::Load(df, at)), df, at);
      }
    }
  }

  template <int columns>
  static HWY_INLINE void finish(const Tile& tile, int row, const Columns& x, const Dots<columns>& dot,
                                float* HWY_RESTRICT out) {
    add_scaled<columns>(tile.scale + row, x, dot, out);
    add_minima<columns>(tile, row, x, out);
  }
};

// A quant of -4 to 3 times a scale of -32 to 31 is -124 to 128, so what is multiplied is 128 minus that.
struct Q3K {
  using Tile = Q3KTile;
  static constexpr bool narrow = false;

  static HWY_INLINE void unpack(const Tile& tile, int sixteen, int row, U8* quads) {
    const U8 scale = copied_to_quad(reinterpret_cast<const uint8_t*>(tile.block_scale[sixteen]) + row);
    const U8 table = hn::Sub(hn::Set(du8, uint8_t{128}), multiples(scale));
    const U8 twice = hn::Add(scale, scale);
    const U8 four = hn::Add(twice, twice);
    const U8 v = hn::LoadU(du8, tile.quants[sixteen] + 4 * row);
    const U8 h = hn::LoadU(du8, tile.high[sixteen / 2] + 4 * row);
    const U8 low[4] = {look_up<0>(table, v), look_up<1>(table, v), look_up<2>(table, v),
                       look_up<3>(table, v)};
    for (int q = 0; q < 4; ++q) {
      const auto lacks = hn::TestBit(h, hn::Set(du8, static_cast<uint8_t>(1U << (sixteen % 2 * 4 + q))));
      quads[q] = hn::MaskedAddOr(low[q], lacks, low[q], four);
    }
  }

  template <int columns>
  static HWY_INLINE void begin(const Columns& x, int32_t* start) {
    for (int c = 0; c < columns; ++c) start[c] = 0;
    for (int b = 0; b < 16; ++b) {
      for (int c = 0; c < columns; ++c) start[c] += 4 * x.sum(b, c);  // -128 times the sum
    }
  }

  template <int columns>
  static HWY_INLINE void finish(const Tile& tile, int row, const Columns& x, const Dots<columns>& dot,
                                float* HWY_RESTRICT out) {
    for (int v = 0; v < vectors; ++v) {
      const F scale_of_rows = load_f16(tile.scale + row + v * vector_size);
      for (int c = 0; c < columns; ++c) {
        float* at = out + c * tile_rows + v * vector_size;
        const F both = hn::Mul(scale_of_rows, hn::Set(df, x.scale(0, c)));
        hn::Store(hn::NegMulAdd(both, hn::ConvertTo(df, dot[v][c]), hn::Load(df, at)), df, at);
      }
    }
  }
};

template <typename Format>
struct LowBits {
  using Tile = typename Format::Tile;
  static constexpr int64_t inputs = 256;
  static constexpr int steps = 16;

  static HWY_INLINE Columns at(Columns x, int64_t b) {
    x.quants += b * inputs;
    x.scales += b * x.width;
    x.sums += b * 16 * x.width;
    return x;
  }

  // out [tile_rows, columns] += the block's share of rows [row, row + rows_at_once).
  template <int columns>
  static HWY_INLINE void block(const Tile& tile, int row, const Columns& x, Ahead ahead,
                               float* HWY_RESTRICT out) {
    HWY_ALIGN int32_t start[columns];
    Format::template begin<columns>(x, start);
    Dots<columns> dot;
    for (int v = 0; v < vectors; ++v) {
      for (int c = 0; c < columns; ++c) dot[v][c] = hn::Set(di32, start[c]);
    }
    for (int sixteen = 0; sixteen < steps; ++sixteen) {
      ahead.step();
      U8 w[vectors][4];
      for (int v = 0; v < vectors; ++v) Format::unpack(tile, sixteen, row + v * vector_size, w[v]);
      for (int q = 0; q < 4; ++q) {
        for (int c = 0; c < columns; ++c) {
          const auto quad = for_all_rows(x.quad(4 * sixteen + q, c));
          for (int v = 0; v < vectors; ++v) dot[v][c] = dot4<Format::narrow>(w[v][q], quad, dot[v][c]);
        }
      }
    }
    Format::template finish<columns>(tile, row, x, dot, out);
  }

#if HWY_TARGET == HWY_AVX3_DL
  static constexpr int unpacked_quads = 4;
  static constexpr int amx_inputs = 64;
  static constexpr int amx_offset = 0;  // weights stay without a sign

  static HWY_INLINE void unpack(const Tile& tile, int sixteen, int row, U8* quads) {
    Format::unpack(tile, sixteen, row, quads);
  }

  // out [tile_rows, columns] += a block's share, as block() does, for eight columns at a time.
  template <int columns>
  static HWY_INLINE void add_unpacked(const UnpackedBlocks<Tile>& blocks, const Columns& x,
                                      float* HWY_RESTRICT out) {
    AmxDots dots[2];
    for (int v = 0; v < vectors; ++v)
      amx_dots_of_256<columns>({x.quants, x.stride, blocks.of(0, v * vector_size)}, &dots[v]);
    Ahead ahead = blocks.ahead;
    for (int s = 0; s < steps; ++s) ahead.step();
    for (int first = 0; first < columns; first += 8) {
      const Columns some = x.from(first);
      HWY_ALIGN int32_t start[8];
      Format::template begin<8>(some, start);
      Dots<8> dot;
      for (int v = 0; v < vectors; ++v) {
        for (int c = 0; c < 8; ++c) {
          dot[v][c] = hn::Add(hn::Set(di32, start[c]), hn::Load(di32, dots[v].of[first + c]));
        }
      }
      Format::template finish<8>(*blocks.tile, 0, some, dot, out + first * tile_rows);
    }
  }
#endif
};

void tile_q2_k(const TileJob& job) {
  run_tile<LowBits<Q2K>>(job);
}
void tile_q3_k(const TileJob& job) {
  run_tile<LowBits<Q3K>>(job);
}

}  // namespace lanerope::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lanerope::kernels {

HWY_EXPORT(tile_q2_k);
HWY_EXPORT(tile_q3_k);

TileKernel low_bit_kernel(ggml_type type) {
  switch (type) {
    case GGML_TYPE_Q2_K:
      return HWY_DYNAMIC_POINTER(tile_q2_k);
    case GGML_TYPE_Q3_K:
      return HWY_DYNAMIC_POINTER(tile_q3_k);
    default:
      return nullptr;
  }
}

}  // namespace lanerope::kernels
#endif
