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

struct alignas(64) HalfTile {
  uint16_t weight[16][tile_rows];  // [input, row], f16 or bf16
};

}  // namespace lanerope::kernels
