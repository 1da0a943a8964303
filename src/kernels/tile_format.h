// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace lanerope::kernels {

// How PackedMatrix lays out weights. A tile is 32 rows (outputs) by all inputs; it is a run of blocks, each
// 32 rows by 64 or 256 inputs (16 for the float types). Quants are stored in quads: the four inputs 4q .. 4q
// + 3 of each of the 32 rows make 128 bytes, which is what four-way dot products of bytes take.
//
//   quad q:  row 0: 4q 4q+1 4q+2 4q+3 | row 1: 4q .. | ... | row 31
//
// A byte of `quants` of a 4-bit type holds quad 2v in its low and quad 2v + 1 in its high nibble.
inline constexpr int tile_rows = 32;

struct alignas(64) Q4KTile {
  uint16_t scale[tile_rows];          // f16 d, [row]
  uint16_t min[tile_rows];            // f16 dmin, [row]
  uint8_t block_scale[8][tile_rows];  // [block of 32, row]
  uint8_t block_min[8][tile_rows];    // [block of 32, row]
  uint8_t quants[32][4 * tile_rows];  // 0 .. 15
};

struct alignas(64) Q5KTile {
  uint16_t scale[tile_rows];
  uint16_t min[tile_rows];
  uint8_t block_scale[8][tile_rows];
  uint8_t block_min[8][tile_rows];
  uint8_t quants[32][4 * tile_rows];  // low four bits
  uint8_t high[8][4 * tile_rows];     // bit q of [b] is the fifth bit of quad 8b + q
};

struct alignas(64) Q6KTile {
  uint16_t scale[tile_rows];
  int8_t block_scale[16][tile_rows];  // [block of 16, row]
  uint8_t quants[32][4 * tile_rows];  // low four bits of 0 .. 63
  uint8_t high[16][4 * tile_rows];    // bits 2q, 2q + 1 of [b] are the high bits of quad 4b + q
};

struct alignas(64) Q40Tile {
  uint16_t scale[2][tile_rows];      // [block of 32, row]
  uint8_t quants[8][4 * tile_rows];  // 0 .. 15, for -8 .. 7
};

struct alignas(64) Q80Tile {
  uint16_t scale[2][tile_rows];
  uint8_t quants[16][4 * tile_rows];  // 0 .. 255, for -128 .. 127
};

struct alignas(64) Q41Tile {
  uint16_t scale[2][tile_rows];
  uint16_t min[2][tile_rows];  // f16, added
  uint8_t quants[8][4 * tile_rows];
};

struct alignas(64) Q50Tile {
  uint16_t scale[2][tile_rows];
  uint8_t quants[8][4 * tile_rows];  // low four bits of 0 .. 31, for -16 .. 15
  uint8_t high[2][4 * tile_rows];    // bit q of [b] is the fifth bit of quad 8b + q
};

struct alignas(64) Q51Tile {
  uint16_t scale[2][tile_rows];
  uint16_t min[2][tile_rows];
  uint8_t quants[8][4 * tile_rows];
  uint8_t high[2][4 * tile_rows];
};

// A byte of quants of a 2-bit type holds quads 4v .. 4v + 3, the first one in its lowest bits.
struct alignas(64) Q2KTile {
  uint16_t scale[tile_rows];
  uint16_t min[tile_rows];
  uint8_t scale_min[16][tile_rows];   // [block of 16, row], the scale in the low nibble
  uint8_t quants[16][4 * tile_rows];  // 0 .. 3
};

struct alignas(64) Q3KTile {
  uint16_t scale[tile_rows];
  int8_t block_scale[16][tile_rows];
  uint8_t quants[16][4 * tile_rows];  // low two bits of 0 .. 7, for -4 .. 3
  uint8_t high[8][4 * tile_rows];     // bit q of [b] is set where quad 8b + q lacks its third bit
};

// Quants that are places in a list of 16 values, with one scale for 256 / blocks inputs. The list is that of
// the tile's type, plus an offset that makes its values unsigned.
template <int blocks>
struct alignas(64) CodebookTile {
  float scale[tile_rows];
  int8_t block_scale[blocks][tile_rows];
  uint8_t values[64];  // the list four times
  uint8_t quants[32][4 * tile_rows];
};

struct alignas(64) NvFp4Tile {
  uint16_t scale[16][tile_rows];  // bf16, [block of 16, row]
  uint8_t quants[32][4 * tile_rows];
};

struct alignas(64) HalfTile {
  uint16_t weight[16][tile_rows];  // [input, row], f16 or bf16
};

struct alignas(64) FloatTile {
  float weight[16][tile_rows];
};

// What quants of IQ4_NL and IQ4_XS stand for, and those of the four-bit floats, MXFP4 and NVFP4, doubled. As
// kernels want them: unsigned, plus an offset.
inline constexpr int8_t iq4_values[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                          1,    13,   25,  38,  53,  69,  89,  113};
inline constexpr int8_t fp4_values[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

struct alignas(16) UnsignedValues {
  uint8_t values[16];
};
constexpr UnsignedValues plus(const int8_t (&values)[16], int offset) {
  UnsignedValues result{};
  for (int i = 0; i < 16; ++i) result.values[i] = static_cast<uint8_t>(values[i] + offset);
  return result;
}
inline constexpr UnsignedValues iq4_values_plus_128 = plus(iq4_values, 128);
inline constexpr UnsignedValues fp4_values_plus_16 = plus(fp4_values, 16);
inline constexpr UnsignedValues fp4_values_plus_32 = plus(fp4_values, 32);
inline constexpr int grid_offset = 64;  // of the lists of IQ1, IQ2 and IQ3

}  // namespace lanerope::kernels
