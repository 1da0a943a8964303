// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>

#include "kernels/pack_helpers.h"

namespace lanerope::kernels {
namespace {

template <int blocks>
void store_list(CodebookTile<blocks>& tile, const uint8_t* values) {
  for (int copy = 0; copy < 4; ++copy) std::memcpy(tile.values + 16 * copy, values, 16);
}

void pack_iq4_xs(CodebookTile<8>& tile, int, int row, const std::byte* block) {
  const unsigned high = read_u16(block + 2);
  const auto* low = reinterpret_cast<const uint8_t*>(block + 4);
  const auto* q = low + 4;
  tile.scale[row] = read_f16(block);
  store_list(tile, iq4_values_plus_128.values);
  for (int b = 0; b < 8; ++b) {
    const unsigned scale = (low[b / 2] >> 4 * (b % 2) & 15U) | (high >> 2 * b & 3U) << 4;
    tile.block_scale[b][row] = static_cast<int8_t>(static_cast<int>(scale) - 32);
    uint8_t values[32];
    for (int i = 0; i < 32; ++i) values[i] = i < 16 ? q[16 * b + i] & 15 : q[16 * b + i - 16] >> 4;
    store_nibbles<4>(tile.quants + 4 * b, row, values);
  }
}

// The scale is a float of four bits of exponent and three of mantissa without a sign, of 16 inputs each.
void pack_nvfp4(NvFp4Tile& tile, int part, int row, const std::byte* block) {
  const auto* q = reinterpret_cast<const uint8_t*>(block + 4);
  uint8_t values[64];
  for (int b = 0; b < 4; ++b) {
    uint8_t sixteen[8] = {2, 2, 2, 2, 2, 2, 2, 2};  // each stands for 2
    std::byte probe[36] = {block[0], block[1], block[2], block[3]};
    float floats[64];
    std::memcpy(probe + 4 + 8 * b, sixteen, sizeof(sixteen));
    ggml_get_type_traits(GGML_TYPE_NVFP4)->to_float(probe, floats, 64);
    tile.scale[4 * part + b][row] = ggml_fp32_to_bf16(floats[16 * b] / 2).bits;
    for (int i = 0; i < 16; ++i) values[16 * b + i] = i < 8 ? q[8 * b + i] & 15 : q[8 * b + i - 8] >> 4;
  }
  store_nibbles<8>(tile.quants + 8 * part, row, values);
}

// The values of IQ1, IQ2 and IQ3 are a scale of 256 inputs, over `divisor`, times a whole number of 16 inputs
// times one of these, with either sign.
struct Grid {
  std::array<int, 8> magnitudes;  // ascending, filled up with zeros
  float divisor;
};
constexpr Grid grid_1 = {{1, 7, 9}, 8};
constexpr Grid grid_2 = {{8, 25, 43}, 8};
constexpr Grid grid_3_xxs = {{4, 12, 20, 28, 36, 44, 52, 62}, 4};
constexpr Grid grid_3_s = {{1, 3, 5, 7, 9, 11, 13, 15}, 1};

// Where a value stands in the list of a tile: magnitudes, then their negatives.
struct GridList {
  uint8_t values[16] = {};
  std::array<int8_t, 64> place;  // of a magnitude, or -1

  constexpr explicit GridList(const Grid& grid) : place{} {
    for (int8_t& p : place) p = -1;
    for (int i = 0; i < 8; ++i) {
      values[i] = static_cast<uint8_t>(grid_offset + grid.magnitudes[i]);
      values[8 + i] = static_cast<uint8_t>(grid_offset - grid.magnitudes[i]);
      if (grid.magnitudes[i] != 0) place[grid.magnitudes[i]] = static_cast<int8_t>(i);
    }
  }

  // Whether all of `multiples` [16] are `factor` times a value of the list.
  bool holds(const int* multiples, int factor) const {
    return std::all_of(multiples, multiples + 16, [&](int n) {
      const int magnitude = std::abs(n) / factor;
      return magnitude * factor == std::abs(n) && magnitude < 64 && place[magnitude] >= 0;
    });
  }
};

float grid_scale(ggml_type type, const std::byte* block) {
  if (type != GGML_TYPE_IQ1_M) return read_f16(block);
  // Four bits each of four words.
  const auto word = [&](int i) { return static_cast<unsigned>(read_u16(block + 48 + 2 * i)); };
  const unsigned bits =
      word(0) >> 12 | (word(1) >> 8 & 0xF0U) | (word(2) >> 4 & 0xF00U) | (word(3) & 0xF000U);
  return ggml_fp16_to_fp32(static_cast<ggml_fp16_t>(bits));
}

template <ggml_type type, const Grid& grid>
void pack_grid(CodebookTile<16>& tile, int, int row, const std::byte* block) {
  static constexpr GridList list(grid);
  store_list(tile, list.values);
  const float scale = grid_scale(type, block) / grid.divisor;
  tile.scale[row] = scale;
  float values[256];
  ggml_get_type_traits(type)->to_float(block, values, 256);
  uint8_t places[256] = {};
  for (int b = 0; b < 16 && scale != 0; ++b) {
    int multiples[16];
    int most = 0;
    for (int i = 0; i < 16; ++i) {
      multiples[i] = static_cast<int>(std::lrint(values[16 * b + i] / scale));
      assert(static_cast<float>(multiples[i]) * scale == values[16 * b + i]);
      most = std::max(most, std::abs(multiples[i]));
    }
    int factor = 0;
    for (const int magnitude : grid.magnitudes) {
      if (magnitude == 0 || most % magnitude != 0 || !list.holds(multiples, most / magnitude)) continue;
      factor = most / magnitude;
    }
    assert(factor > 0 && factor < 32);
    tile.block_scale[b][row] = static_cast<int8_t>(factor);
    for (int i = 0; i < 16; ++i) {
      const int place = list.place[std::abs(multiples[i]) / factor];
      places[16 * b + i] = static_cast<uint8_t>(place + (multiples[i] < 0 ? 8 : 0));
    }
  }
  store_nibbles<32>(tile.quants, row, places);
}

template <ggml_type type, const Grid& grid>
constexpr TileShape grid_shape() {
  return {
      type, ActivationForm::blocks_of_256, 256,
      256,  sizeof(CodebookTile<16>),      BlockPacker<CodebookTile<16>, 256>::pack<pack_grid<type, grid>>};
}

constexpr TileShape shapes[] = {
    {GGML_TYPE_IQ4_XS, ActivationForm::blocks_of_256, 256, 256, sizeof(CodebookTile<8>),
     BlockPacker<CodebookTile<8>, 256>::pack<pack_iq4_xs>},
    {GGML_TYPE_NVFP4, ActivationForm::blocks_of_256, 64, 256, sizeof(NvFp4Tile),
     BlockPacker<NvFp4Tile, 64, 4>::pack<pack_nvfp4>},
    grid_shape<GGML_TYPE_IQ1_S, grid_1>(),
    grid_shape<GGML_TYPE_IQ1_M, grid_1>(),
    grid_shape<GGML_TYPE_IQ2_XXS, grid_2>(),
    grid_shape<GGML_TYPE_IQ2_XS, grid_2>(),
    grid_shape<GGML_TYPE_IQ2_S, grid_2>(),
    grid_shape<GGML_TYPE_IQ3_XXS, grid_3_xxs>(),
    grid_shape<GGML_TYPE_IQ3_S, grid_3_s>(),
};

}  // namespace

std::span<const TileShape> codebook_shapes() {
  return shapes;
}

}  // namespace lanerope::kernels
