// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/codebook_kernel.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, as it wants.
#include "kernels/k_quant_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace lanerope::kernels::HWY_NAMESPACE {

// The weights of 16 inputs by their places in a list of 16 values, of which `list` holds copies.
template <typename Tile>
HWY_INLINE void look_up(const Tile& tile, const uint8_t* list, int sixteen, int row, U8* quads) {
  const U8 values = hn::LoadDup128(du8, list);
  for (int half = 0; half < 2; ++half) {
    const U8 places = hn::LoadU(du8, tile.quants[2 * sixteen + half] + 4 * row);
    quads[2 * half] = hn::TableLookupBytes(values, low_nibbles(places));
    quads[2 * half + 1] = hn::TableLookupBytes(values, high_nibbles(places));
  }
}

template <int blocks, int added>
struct Codebook {
  using Tile = CodebookTile<blocks>;
  static constexpr int sixteens = 16 / blocks;
  static constexpr bool narrow = added < 128;
  static constexpr bool has_min = false;
  static constexpr int offset = added;
  static HWY_INLINE void unpack(const Tile& tile, int sixteen, int row, U8* quads) {
    look_up(tile, tile.values, sixteen, row, quads);
  }
  static HWY_INLINE F scale(const Tile& tile, int b, int row) {
    return hn::Mul(hn::Load(df, tile.scale + row), load_small(tile.block_scale[b] + row));
  }
};

struct NvFp4 {
  using Tile = NvFp4Tile;
  static constexpr int sixteens = 1;
  static constexpr bool narrow = true;
  static constexpr bool has_min = false;
  static constexpr int offset = 32;
  static HWY_INLINE void unpack(const Tile& tile, int sixteen, int row, U8* quads) {
    look_up(tile, fp4_values_plus_32.values, sixteen, row, quads);
  }
  static HWY_INLINE F scale(const Tile& tile, int b, int row) { return load_bf16(tile.scale[b] + row); }
};

void tile_iq4_xs(const TileJob& job) {
  run_tile<KQuant<Codebook<8, 128>>>(job);
}
void tile_grid(const TileJob& job) {
  run_tile<KQuant<Codebook<16, grid_offset>>>(job);
}
void tile_nvfp4(const TileJob& job) {
  run_tile<KQuant<NvFp4>>(job);
}

}  // namespace lanerope::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lanerope::kernels {

HWY_EXPORT(tile_iq4_xs);
HWY_EXPORT(tile_grid);
HWY_EXPORT(tile_nvfp4);

TileKernel codebook_kernel(ggml_type type) {
  switch (type) {
    case GGML_TYPE_IQ4_XS:
      return HWY_DYNAMIC_POINTER(tile_iq4_xs);
    case GGML_TYPE_IQ1_S:
    case GGML_TYPE_IQ1_M:
    case GGML_TYPE_IQ2_XXS:
    case GGML_TYPE_IQ2_XS:
    case GGML_TYPE_IQ2_S:
    case GGML_TYPE_IQ3_XXS:
    case GGML_TYPE_IQ3_S:
      return HWY_DYNAMIC_POINTER(tile_grid);
    case GGML_TYPE_NVFP4:
      return HWY_DYNAMIC_POINTER(tile_nvfp4);
    default:
      return nullptr;
  }
}

}  // namespace lanerope::kernels
#endif
