// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace lanerope {

// How PackedMatrix lays out weights. A tile is 16 rows (outputs) by all inputs; it is a run of blocks, each
// 16 rows by 64 or 256 inputs (16 for the float types). Quants are stored in quads: the four inputs 4q .. 4q
// + 3 of each of the 16 rows make 64 bytes, which is what one 4-way dot product of bytes takes.
//
//   quad q:  row 0: 4q 4q+1 4q+2 4q+3 | row 1: 4q .. | ... | row 15
//
// A byte of `quants` of a 4-bit type holds quad 2v in its low and quad 2v + 1 in its high nibble.
inline constexpr int tile_rows = 16;

struct alignas(64) Q4KTile {
  uint16_t scale[16];          // f16 d, [row]
  uint16_t min[16];            // f16 dmin, [row]
  uint8_t block_scale[8][16];  // [block of 32, row]
  uint8_t block_min[8][16];    // [block of 32, row]
  uint8_t quants[32][64];      // 0 .. 15
};

struct alignas(64) Q5KTile {
  uint16_t scale[16];
  uint16_t min[16];
  uint8_t block_scale[8][16];
  uint8_t block_min[8][16];
  uint8_t quants[32][64];  // low four bits
  uint8_t high[8][64];     // bit q of [b] is the fifth bit of quad 8b + q
};

struct alignas(64) Q6KTile {
  uint16_t scale[16];
  int8_t block_scale[16][16];  // [block of 16, row]
  uint8_t quants[32][64];      // low four bits of 0 .. 63
  uint8_t high[16][64];        // bits 2q, 2q + 1 of [b] are the high bits of quad 4b + q
};

struct alignas(64) Q40Tile {
  uint16_t scale[2][16];  // [block of 32, row]
  uint8_t quants[8][64];  // 0 .. 15, for -8 .. 7
};

struct alignas(64) Q80Tile {
  uint16_t scale[2][16];
  uint8_t quants[16][64];  // 0 .. 255, for -128 .. 127
};

struct alignas(64) HalfTile {
  uint16_t weight[16][16];  // [input, row], f16 or bf16
};

}  // namespace lanerope
