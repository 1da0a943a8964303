// SPDX-License-Identifier: Apache-2.0
// Included once per instruction set by the integer kernels; see Highway's foreach_target.h.
#if defined(LANEROPE_INTEGER_TILE_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef LANEROPE_INTEGER_TILE_INL
#undef LANEROPE_INTEGER_TILE_INL
#else
#define LANEROPE_INTEGER_TILE_INL
#endif

#include "kernels/amx.h"
#include "kernels/amx_tile-inl.h"
#include "kernels/integer_vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace lanerope::kernels::HWY_NAMESPACE {

// Adds block b of the tile to out [tile_rows, columns].
template <typename Type, int columns>
HWY_INLINE void add_block(const TileJob& job, const Columns& x, int64_t b, Ahead ahead, float* out) {
  const auto& tile = reinterpret_cast<const typename Type::Tile*>(job.tile)[b];
  const Columns at = Type::at(x, b);
  for (int row = 0; row < tile_rows; row += rows_at_once) {
    Type::template block<columns>(tile, row, at, ahead, out + row);
    ahead.lines = 0;
  }
}

// Some columns from `first` on over all inputs. The first ones bring the tile from memory.
template <typename Type, int columns>
void run_columns(const TileJob& job, int64_t n_blocks, int first) {
  const Columns x(job, first);
  float* out = job.out + first * tile_rows;
  for (int64_t b = 0; b < n_blocks; ++b) {
    const Ahead ahead = first == 0 ? Ahead::of<Type>(job, b, 0, 1) : Ahead{nullptr, 0};
    add_block<Type, columns>(job, x, b, ahead, out);
  }
}

// Calls body<columns>() for 1 to 8 columns.
template <typename Body>
void with_columns(int columns, const Body& body) {
  switch (columns) {
    case 1:
      return body.template operator()<1>();
    case 2:
      return body.template operator()<2>();
    case 3:
      return body.template operator()<3>();
    case 4:
      return body.template operator()<4>();
    case 5:
      return body.template operator()<5>();
    case 6:
      return body.template operator()<6>();
    case 7:
      return body.template operator()<7>();
    default:
      return body.template operator()<8>();
  }
}

// One block, for one of several eights of columns, each of which asks for its share of lines.
template <typename Type, int columns>
void run_block(const TileJob& job, int64_t b, int eight) {
  Ahead ahead = Ahead::of<Type>(job, b, eight, job.n_columns / 8);
  for (int i = 0; i < Type::steps; ++i) ahead.step();
  add_block<Type, columns>(job, Columns(job, 8 * eight), b, {nullptr, 0}, job.out + 8 * eight * tile_rows);
}

#if HWY_TARGET == HWY_AVX3_DL
// Sixteens and an eight of columns together, then what is left.
template <typename Type>
void run_amx_tile(const TileJob& job) {
  const int first = run_amx_columns<Type>(job);
  if (first == job.n_columns) return;
  with_columns(job.n_columns - first, [&]<int columns>() {
    run_columns<Type, columns>(job, job.layout->n_in / Type::inputs, first);
  });
}
#endif

template <typename Type>
void run_tile(const TileJob& job) {
  const int64_t n_blocks = job.layout->n_in / Type::inputs;
  for (int i = 0; i < job.n_columns * tile_rows; i += vector_size) hn::Store(hn::Zero(df), df, job.out + i);
#if HWY_TARGET == HWY_AVX3_DL
  if constexpr (Type::amx_inputs > 0) {
    if (job.n_columns >= amx_columns && amx_is_usable()) return run_amx_tile<Type>(job);
  }
#endif
  // A few columns take turns with the whole tile, which the second cache holds; many with each of its blocks.
  if (job.n_columns <= few_columns) {
    for (int c = 0; c < job.n_columns; c += 8) {
      with_columns(HWY_MIN(8, job.n_columns - c),
                   [&]<int columns>() { run_columns<Type, columns>(job, n_blocks, c); });
    }
    return;
  }
  const int eights = job.n_columns / 8;
  const int tail = job.n_columns % 8;
  for (int64_t b = 0; b < n_blocks; ++b) {
    for (int g = 0; g < eights; ++g) run_block<Type, 8>(job, b, g);
    if (tail > 0) {
      with_columns(tail, [&]<int columns>() { run_block<Type, columns>(job, b, eights); });
    }
  }
}

}  // namespace lanerope::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
