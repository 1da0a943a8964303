// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include <ggml.h>

#include "kernels/pack_tiles.h"

namespace lanerope::kernels {

inline uint16_t read_u16(const std::byte* p) {
  uint16_t value;
  std::memcpy(&value, p, sizeof(value));
  return value;
}

inline float read_f16(const std::byte* p) {
  return ggml_fp16_to_fp32(read_u16(p));
}

inline uint32_t read_quad(const uint8_t* p) {
  uint32_t value;
  std::memcpy(&value, p, sizeof(value));
  return value;
}

inline void write_quad(uint8_t* p, uint32_t value) {
  std::memcpy(p, &value, sizeof(value));
}

// Two quads a byte vector: nibbles of `values` [4 * 2 * n_pairs].
template <size_t n_pairs>
void store_nibbles(uint8_t (*quants)[4 * tile_rows], int row, const uint8_t* values) {
  for (size_t v = 0; v < n_pairs; ++v) {
    write_quad(quants[v] + 4 * row, read_quad(values + 8 * v) | read_quad(values + 8 * v + 4) << 4);
  }
}

// Four quads a byte vector: two bits of `values` [256].
inline void store_two_bits(uint8_t (*quants)[4 * tile_rows], int row, const uint8_t* values) {
  for (int v = 0; v < 16; ++v) {
    uint32_t bits = 0;
    for (int quad = 0; quad < 4; ++quad) bits |= read_quad(values + 16 * v + 4 * quad) << 2 * quad;
    write_quad(quants[v] + 4 * row, bits);
  }
}

// One bit of each of `bits` [n, 0 or 1]: bit q of [b] is that of quad 8b + q.
inline void store_bits(uint8_t (*high)[4 * tile_rows], int row, const uint8_t* bits, int n) {
  for (int b = 0; b < n / 32; ++b) {
    uint32_t gathered = 0;
    for (int quad = 0; quad < 8; ++quad) gathered |= read_quad(bits + 32 * b + 4 * quad) << quad;
    write_quad(high[b] + 4 * row, gathered);
  }
}

// Types whose tile block is some blocks of the file, each of `values` inputs: pack_block(tile, part, row,
// block) writes block number `part` of the tile's.
template <typename Tile, int values, int parts = 1>
struct BlockPacker {
  template <auto pack_block>
  static void pack(const TileSource& source, std::byte* destination) {
    auto* tiles = reinterpret_cast<Tile*>(destination);
    const int64_t n_blocks = source.n_in / values;
    const size_t block_bytes = source.row_bytes / n_blocks;
    for (int64_t b = 0; b < n_blocks; ++b) {
      Tile& tile = tiles[b / parts];
      if (b % parts == 0) std::memset(static_cast<void*>(&tile), 0, sizeof(Tile));
      for (int row = 0; row < source.n_rows; ++row) {
        pack_block(tile, static_cast<int>(b % parts), row,
                   source.rows + row * source.row_bytes + b * block_bytes);
      }
    }
  }
};

}  // namespace lanerope::kernels
