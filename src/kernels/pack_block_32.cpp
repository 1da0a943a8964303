// SPDX-License-Identifier: Apache-2.0
#include <cassert>
#include <cmath>

#include "kernels/pack_helpers.h"

namespace lanerope::kernels {
namespace {

// 32 nibbles in 16 bytes: the first 16 elements are the low ones.
template <typename Tile>
void store_quants(Tile& tile, int half, int row, const std::byte* bytes) {
  const auto* q = reinterpret_cast<const uint8_t*>(bytes);
  uint8_t values[32];
  for (int i = 0; i < 32; ++i) values[i] = i < 16 ? q[i] & 15 : q[i - 16] >> 4;
  store_nibbles<4>(tile.quants + 4 * half, row, values);
}

// Bit i of four bytes is the fifth of element i.
template <typename Tile>
void store_fifth_bits(Tile& tile, int half, int row, const std::byte* bytes) {
  const uint32_t word = read_quad(reinterpret_cast<const uint8_t*>(bytes));
  uint8_t bits[32];
  for (int i = 0; i < 32; ++i) bits[i] = word >> i & 1;
  store_bits(tile.high + half, row, bits, 32);
}

// Q4_0 and IQ4_NL.
void pack_q4_0(Q40Tile& tile, int half, int row, const std::byte* block) {
  tile.scale[half][row] = read_u16(block);
  store_quants(tile, half, row, block + 2);
}

void pack_q4_1(Q41Tile& tile, int half, int row, const std::byte* block) {
  tile.scale[half][row] = read_u16(block);
  tile.min[half][row] = read_u16(block + 2);
  store_quants(tile, half, row, block + 4);
}

void pack_q5_0(Q50Tile& tile, int half, int row, const std::byte* block) {
  tile.scale[half][row] = read_u16(block);
  store_fifth_bits(tile, half, row, block + 2);
  store_quants(tile, half, row, block + 6);
}

void pack_q5_1(Q51Tile& tile, int half, int row, const std::byte* block) {
  tile.scale[half][row] = read_u16(block);
  tile.min[half][row] = read_u16(block + 2);
  store_fifth_bits(tile, half, row, block + 4);
  store_quants(tile, half, row, block + 8);
}

void pack_q8_0(Q80Tile& tile, int half, int row, const std::byte* block) {
  tile.scale[half][row] = read_u16(block);
  const auto* q = reinterpret_cast<const uint8_t*>(block + 2);
  for (int quad = 0; quad < 8; ++quad) {
    write_quad(tile.quants[8 * half + quad] + 4 * row, read_quad(q + 4 * quad) ^ 0x80808080U);
  }
}

// The scale is 2^(e - 128), for values that are doubled. bf16 holds that, as a denormal where e is 0 or 1.
void pack_mxfp4(Q40Tile& tile, int half, int row, const std::byte* block) {
  const auto e = static_cast<unsigned>(block[0]);
  tile.scale[half][row] = static_cast<uint16_t>(e < 2 ? 0x20U << e : (e - 1) << 7);
  store_quants(tile, half, row, block + 1);
}

// Types whose values are -1, 0, 1 or 2 times a scale: in blocks of `values` inputs, the scale at byte `at`.
template <ggml_type type, int values, int at>
void pack_few_valued(const TileSource& source, std::byte* destination) {
  auto* tiles = reinterpret_cast<Q40Tile*>(destination);
  std::memset(destination, 0, (source.n_in + 63) / 64 * sizeof(Q40Tile));
  const size_t block_bytes = ggml_type_size(type);
  const ggml_to_float_t to_float = ggml_get_type_traits(type)->to_float;
  float block_values[values];
  for (int row = 0; row < source.n_rows; ++row) {
    for (int64_t b = 0; b < source.n_in / values; ++b) {
      const std::byte* block = source.rows + row * source.row_bytes + b * block_bytes;
      const float scale = read_f16(block + at);
      to_float(block, block_values, values);
      for (int part = 0; part < values / 32; ++part) {
        const int64_t index = b * values / 32 + part;
        uint8_t quants[32];
        for (int i = 0; i < 32; ++i) {
          const float value = block_values[32 * part + i];
          quants[i] = static_cast<uint8_t>(8 + (scale == 0 ? 0 : std::lrint(value / scale)));
          assert(static_cast<float>(quants[i] - 8) * scale == value);
        }
        Q40Tile& tile = tiles[index / 2];
        tile.scale[index % 2][row] = read_u16(block + at);
        store_nibbles<4>(tile.quants + 4 * (index % 2), row, quants);
      }
    }
  }
}

template <typename Tile, auto pack_block>
constexpr TileShape shape_of(ggml_type type) {
  return {type,         ActivationForm::blocks_of_32,
          32,           64,
          sizeof(Tile), BlockPacker<Tile, 32, 2>::template pack<pack_block>};
}

template <ggml_type type, int values, int at>
constexpr TileShape few_valued_shape() {
  return {type, ActivationForm::blocks_of_32, values, 64, sizeof(Q40Tile), pack_few_valued<type, values, at>};
}

constexpr TileShape shapes[] = {
    shape_of<Q40Tile, pack_q4_0>(GGML_TYPE_Q4_0),   shape_of<Q41Tile, pack_q4_1>(GGML_TYPE_Q4_1),
    shape_of<Q50Tile, pack_q5_0>(GGML_TYPE_Q5_0),   shape_of<Q51Tile, pack_q5_1>(GGML_TYPE_Q5_1),
    shape_of<Q80Tile, pack_q8_0>(GGML_TYPE_Q8_0),   shape_of<Q40Tile, pack_q4_0>(GGML_TYPE_IQ4_NL),
    shape_of<Q40Tile, pack_mxfp4>(GGML_TYPE_MXFP4), few_valued_shape<GGML_TYPE_Q1_0, 128, 0>(),
    few_valued_shape<GGML_TYPE_Q2_0, 64, 0>(),      few_valued_shape<GGML_TYPE_TQ1_0, 256, 52>(),
    few_valued_shape<GGML_TYPE_TQ2_0, 256, 64>(),
};

}  // namespace

std::span<const TileShape> block_32_shapes() {
  return shapes;
}

}  // namespace lanerope::kernels
