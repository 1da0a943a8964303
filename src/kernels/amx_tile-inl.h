// SPDX-License-Identifier: Apache-2.0
// Included once per instruction set by integer_tile-inl.h; see Highway's foreach_target.h. Where a machine
// has AMX, the dot products of many columns are made by it: the same integers, so the same results.
#if defined(LANEROPE_AMX_TILE_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef LANEROPE_AMX_TILE_INL
#undef LANEROPE_AMX_TILE_INL
#else
#define LANEROPE_AMX_TILE_INL
#endif

#include "kernels/amx_dots-inl.h"

#if HWY_TARGET == HWY_AVX3_DL
HWY_BEFORE_NAMESPACE();
namespace lanerope::kernels::HWY_NAMESPACE {

// A step of a block, and the first of 16 rows.
struct BlockStep {
  int b;
  int row;
};

// Some blocks of a tile whose weights have been unpacked, one after the other.
template <typename Tile>
struct UnpackedBlocks {
  const Tile* tile;
  int n_blocks;
  const uint8_t* weights;  // [4, tile_rows, inputs / 4]
  Ahead ahead;             // of the first block

  const uint8_t* of(int input, int row) const { return weights + input * tile_rows + 4 * row; }
};

// For fewer columns unpacking the weights takes longer than is won.
constexpr int amx_columns = 32;

// A block of a tile as bytes, [4, tile_rows, inputs / 4]. What a type adds to its weights, so that bytes
// without a sign can hold them, is taken off again: once here, or else from every sum.
template <typename Type>
HWY_INLINE void unpack_block(const typename Type::Tile& tile, uint8_t* weights) {
  constexpr int quads = Type::unpacked_quads;
  for (int i = 0; i < Type::inputs / 4 / quads; ++i) {
    for (int row = 0; row < tile_rows; row += vector_size) {
      U8 w[quads];
      Type::unpack(tile, i, row, w);
      for (int q = 0; q < quads; ++q) {
        if constexpr (Type::amx_offset != 0) w[q] = hn::Sub(w[q], hn::Set(du8, uint8_t{Type::amx_offset}));
        hn::Store(w[q], du8, weights + (i * quads + q) * 4 * tile_rows + 4 * row);
      }
    }
  }
}

// Adds the tile's product with the first sixteens of columns, and with eight more where there are so many;
// returns with how many. 256 inputs of the weights are unpacked at a time, for all of the columns.
template <typename Type>
int run_amx_columns(const TileJob& job) {
  constexpr int64_t blocks_at_once = 256 / Type::inputs;
  const int sixteens = job.n_columns / 16;
  const bool eight = job.n_columns % 16 >= 8;
  const int parts = sixteens + (eight ? 1 : 0);
  alignas(64) uint8_t weights[256 * tile_rows];
  const AmxRegisters registers{AmxShape(Type::amx_inputs)};
  const auto* tile = reinterpret_cast<const typename Type::Tile*>(job.tile);
  const int64_t n_blocks = job.layout->n_in / Type::inputs;
  const Columns first(job, 0);
  const auto panel_bytes = static_cast<int64_t>(16 * job.layout->column_bytes());
  const Columns last(job, 16 * sixteens < job.n_columns ? 16 * sixteens : 0);
  for (int64_t b = 0; b < n_blocks; b += blocks_at_once) {
    const auto blocks = static_cast<int>(HWY_MIN(blocks_at_once, n_blocks - b));
    for (int i = 0; i < blocks; ++i) unpack_block<Type>(tile[b + i], weights + i * Type::inputs * tile_rows);
    const auto unpacked = [&](int part) {
      return UnpackedBlocks<typename Type::Tile>{tile + b, blocks, weights,
                                                 Ahead::of<Type>(job, b, part, parts)};
    };
    for (int g = 0; g < sixteens; ++g) {
      Type::template add_unpacked<16>(unpacked(g), Type::at(first.panel(g, panel_bytes), b),
                                      job.out + g * 16 * tile_rows);
    }
    if (eight)
      Type::template add_unpacked<8>(unpacked(sixteens), Type::at(last, b),
                                     job.out + sixteens * 16 * tile_rows);
  }
  return 16 * sixteens + (eight ? 8 : 0);
}

}  // namespace lanerope::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
#endif
