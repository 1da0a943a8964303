// SPDX-License-Identifier: Apache-2.0
#include "kernels/pack_tiles.h"

#include <array>
#include <cstring>

namespace lanerope::kernels {
namespace {

uint16_t read_u16(const std::byte* p) {
  uint16_t value;
  std::memcpy(&value, p, sizeof(value));
  return value;
}

uint32_t read_quad(const uint8_t* p) {
  uint32_t value;
  std::memcpy(&value, p, sizeof(value));
  return value;
}

void write_quad(uint8_t* p, uint32_t value) {
  std::memcpy(p, &value, sizeof(value));
}

// Two quads a byte vector: nibbles of `values` [4 * 2 * n_pairs].
template <size_t n_pairs>
void store_nibbles(uint8_t (*quants)[4 * tile_rows], int row, const uint8_t* values) {
  for (size_t v = 0; v < n_pairs; ++v) {
    write_quad(quants[v] + 4 * row, read_quad(values + 8 * v) | read_quad(values + 8 * v + 4) << 4);
  }
}

// The scales and minima of a k-quant block: eight pairs of six bits in twelve bytes.
template <typename Tile>
void store_k_scales(Tile& tile, int row, const std::byte* block) {
  tile.scale[row] = read_u16(block);
  tile.min[row] = read_u16(block + 2);
  const auto* q = reinterpret_cast<const uint8_t*>(block + 4);
  for (int j = 0; j < 4; ++j) {
    tile.block_scale[j][row] = q[j] & 63;
    tile.block_min[j][row] = q[j + 4] & 63;
    tile.block_scale[j + 4][row] = (q[j + 8] & 15) | (q[j] >> 6) << 4;
    tile.block_min[j + 4][row] = (q[j + 8] >> 4) | (q[j + 4] >> 6) << 4;
  }
}

void pack_row(Q4KTile& tile, int row, const std::byte* block) {
  store_k_scales(tile, row, block);
  const auto* q = reinterpret_cast<const uint8_t*>(block + 16);
  uint8_t values[256];
  for (int i = 0; i < 256; ++i) {
    const uint8_t byte = q[i / 64 * 32 + i % 32];
    values[i] = i / 32 % 2 == 0 ? byte & 15 : byte >> 4;
  }
  store_nibbles<32>(tile.quants, row, values);
}

void pack_row(Q5KTile& tile, int row, const std::byte* block) {
  store_k_scales(tile, row, block);
  const auto* high = reinterpret_cast<const uint8_t*>(block + 16);
  const auto* q = high + 32;
  uint8_t values[256];
  for (int i = 0; i < 256; ++i) {
    const uint8_t byte = q[i / 64 * 32 + i % 32];
    values[i] = i / 32 % 2 == 0 ? byte & 15 : byte >> 4;
  }
  store_nibbles<32>(tile.quants, row, values);
  for (int b = 0; b < 8; ++b) {
    uint32_t bits = 0;
    for (int quad = 0; quad < 8; ++quad) {
      const uint32_t fifth = read_quad(high + 4 * quad) >> b & 0x01010101U;
      bits |= fifth << quad;
    }
    write_quad(tile.high[b] + 4 * row, bits);
  }
}

void pack_row(Q6KTile& tile, int row, const std::byte* block) {
  const auto* low = reinterpret_cast<const uint8_t*>(block);
  const auto* high = low + 128;
  tile.scale[row] = read_u16(block + 208);
  uint8_t nibbles[256];
  uint8_t tops[256];
  for (int i = 0; i < 256; ++i) {
    const int half = i / 128;
    const int part = i / 32 % 4;
    const uint8_t byte = low[half * 64 + part % 2 * 32 + i % 32];
    nibbles[i] = part < 2 ? byte & 15 : byte >> 4;
    tops[i] = high[half * 32 + i % 32] >> 2 * part & 3;
  }
  store_nibbles<32>(tile.quants, row, nibbles);
  for (int b = 0; b < 16; ++b) {
    tile.block_scale[b][row] = static_cast<int8_t>(block[192 + b]);
    uint32_t bits = 0;
    for (int quad = 0; quad < 4; ++quad) bits |= read_quad(tops + 16 * b + 4 * quad) << 2 * quad;
    write_quad(tile.high[b] + 4 * row, bits);
  }
}

void pack_half(Q40Tile& tile, int half, int row, const std::byte* block) {
  tile.scale[half][row] = read_u16(block);
  const auto* q = reinterpret_cast<const uint8_t*>(block + 2);
  uint8_t values[32];
  for (int i = 0; i < 32; ++i) values[i] = i < 16 ? q[i] & 15 : q[i - 16] >> 4;
  store_nibbles<4>(tile.quants + 4 * half, row, values);
}

void pack_half(Q80Tile& tile, int half, int row, const std::byte* block) {
  tile.scale[half][row] = read_u16(block);
  const auto* q = reinterpret_cast<const uint8_t*>(block + 2);
  for (int quad = 0; quad < 8; ++quad) {
    write_quad(tile.quants[8 * half + quad] + 4 * row, read_quad(q + 4 * quad) ^ 0x80808080U);
  }
}

// Types whose tile block is one block of the file.
template <typename Tile, int n_values, size_t file_bytes>
void pack_blocks(const TileSource& source, std::byte* destination) {
  auto* tiles = reinterpret_cast<Tile*>(destination);
  for (int64_t b = 0; b < source.n_in / n_values; ++b) {
    if (source.n_rows < tile_rows) std::memset(static_cast<void*>(tiles + b), 0, sizeof(Tile));
    for (int row = 0; row < source.n_rows; ++row) {
      pack_row(tiles[b], row, source.rows + row * source.row_bytes + b * file_bytes);
    }
  }
}

// Types whose tile block is two blocks of the file.
template <typename Tile, size_t file_bytes>
void pack_pairs(const TileSource& source, std::byte* destination) {
  auto* tiles = reinterpret_cast<Tile*>(destination);
  for (int64_t b = 0; b < source.n_in / 32; ++b) {
    Tile& tile = tiles[b / 2];
    if (b % 2 == 0) std::memset(static_cast<void*>(&tile), 0, sizeof(Tile));
    for (int row = 0; row < source.n_rows; ++row) {
      pack_half(tile, static_cast<int>(b % 2), row, source.rows + row * source.row_bytes + b * file_bytes);
    }
  }
}

void pack_halves(const TileSource& source, std::byte* destination) {
  auto* tiles = reinterpret_cast<HalfTile*>(destination);
  std::memset(destination, 0, (source.n_in + 15) / 16 * sizeof(HalfTile));
  for (int row = 0; row < source.n_rows; ++row) {
    const std::byte* from = source.rows + row * source.row_bytes;
    for (int64_t i = 0; i < source.n_in; ++i) tiles[i / 16].weight[i % 16][row] = read_u16(from + 2 * i);
  }
}

constexpr std::array<TileShape, 7> shapes{{
    {GGML_TYPE_Q4_0, ActivationForm::blocks_of_32, 32, 64, sizeof(Q40Tile), pack_pairs<Q40Tile, 18>},
    {GGML_TYPE_Q8_0, ActivationForm::blocks_of_32, 32, 64, sizeof(Q80Tile), pack_pairs<Q80Tile, 34>},
    {GGML_TYPE_Q4_K, ActivationForm::blocks_of_256, 256, 256, sizeof(Q4KTile),
     pack_blocks<Q4KTile, 256, 144>},
    {GGML_TYPE_Q5_K, ActivationForm::blocks_of_256, 256, 256, sizeof(Q5KTile),
     pack_blocks<Q5KTile, 256, 176>},
    {GGML_TYPE_Q6_K, ActivationForm::blocks_of_256, 256, 256, sizeof(Q6KTile),
     pack_blocks<Q6KTile, 256, 210>},
    {GGML_TYPE_F16, ActivationForm::f32, 1, 16, sizeof(HalfTile), pack_halves},
    {GGML_TYPE_BF16, ActivationForm::f32, 1, 16, sizeof(HalfTile), pack_halves},
}};

}  // namespace

const TileShape* tile_shape(ggml_type type) {
  for (const TileShape& shape : shapes) {
    if (shape.type == type) return &shape;
  }
  return nullptr;
}

}  // namespace lanerope::kernels
