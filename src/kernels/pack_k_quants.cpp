// SPDX-License-Identifier: Apache-2.0
#include "kernels/pack_helpers.h"

namespace lanerope::kernels {
namespace {

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

void pack_q4_k(Q4KTile& tile, int, int row, const std::byte* block) {
  store_k_scales(tile, row, block);
  const auto* q = reinterpret_cast<const uint8_t*>(block + 16);
  uint8_t values[256];
  for (int i = 0; i < 256; ++i) {
    const uint8_t byte = q[i / 64 * 32 + i % 32];
    values[i] = i / 32 % 2 == 0 ? byte & 15 : byte >> 4;
  }
  store_nibbles<32>(tile.quants, row, values);
}

void pack_q5_k(Q5KTile& tile, int, int row, const std::byte* block) {
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

void pack_q6_k(Q6KTile& tile, int, int row, const std::byte* block) {
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

// Element i of Q2_K and Q3_K: two bits of a byte that four elements 32 apart share.
void read_two_bits(const uint8_t* q, uint8_t* values) {
  for (int i = 0; i < 256; ++i) values[i] = q[i / 128 * 32 + i % 32] >> i / 32 % 4 * 2 & 3;
}

void pack_q2_k(Q2KTile& tile, int, int row, const std::byte* block) {
  const auto* scales = reinterpret_cast<const uint8_t*>(block);
  tile.scale[row] = read_u16(block + 80);
  tile.min[row] = read_u16(block + 82);
  for (int b = 0; b < 16; ++b) tile.scale_min[b][row] = scales[b];
  uint8_t values[256];
  read_two_bits(scales + 16, values);
  store_two_bits(tile.quants, row, values);
}

void pack_q3_k(Q3KTile& tile, int, int row, const std::byte* block) {
  const auto* high = reinterpret_cast<const uint8_t*>(block);
  const auto* scales = high + 96;  // low nibbles of 16 in eight bytes, then two bits of each in four
  tile.scale[row] = read_u16(block + 108);
  for (int b = 0; b < 16; ++b) {
    const int low = b < 8 ? scales[b] & 15 : scales[b - 8] >> 4;
    const int top = scales[8 + b % 4] >> b / 4 * 2 & 3;
    tile.block_scale[b][row] = static_cast<int8_t>((low | top << 4) - 32);
  }
  uint8_t values[256];
  read_two_bits(high + 32, values);
  store_two_bits(tile.quants, row, values);
  for (int i = 0; i < 256; ++i) values[i] = (high[i % 32] >> i / 32 & 1) ^ 1;
  store_bits(tile.high, row, values, 256);
}

constexpr TileShape shapes[] = {
    {GGML_TYPE_Q2_K, ActivationForm::blocks_of_256, 256, 256, sizeof(Q2KTile),
     BlockPacker<Q2KTile, 256>::pack<pack_q2_k>},
    {GGML_TYPE_Q3_K, ActivationForm::blocks_of_256, 256, 256, sizeof(Q3KTile),
     BlockPacker<Q3KTile, 256>::pack<pack_q3_k>},
    {GGML_TYPE_Q4_K, ActivationForm::blocks_of_256, 256, 256, sizeof(Q4KTile),
     BlockPacker<Q4KTile, 256>::pack<pack_q4_k>},
    {GGML_TYPE_Q5_K, ActivationForm::blocks_of_256, 256, 256, sizeof(Q5KTile),
     BlockPacker<Q5KTile, 256>::pack<pack_q5_k>},
    {GGML_TYPE_Q6_K, ActivationForm::blocks_of_256, 256, 256, sizeof(Q6KTile),
     BlockPacker<Q6KTile, 256>::pack<pack_q6_k>},
};

}  // namespace

std::span<const TileShape> k_quant_shapes() {
  return shapes;
}

}  // namespace lanerope::kernels
