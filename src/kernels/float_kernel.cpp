// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <type_traits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/float_kernel.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, as it wants.
#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include "kernels/tile_kernel.h"

HWY_BEFORE_NAMESPACE();
namespace lanerope::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

const hn::CappedTag<float, 16> df;
using F = hn::Vec<decltype(df)>;
constexpr int vector_size = static_cast<int>(hn::MaxLanes(df));
constexpr int vectors = HWY_TARGET == HWY_AVX3_DL || HWY_TARGET_IS_NEON ? 2 : 1;
// Inputs are summed in runs of this many, and the runs are added up. That order holds for any number of
// columns.
constexpr int64_t run_tiles = 16;  // of 16 inputs each

template <typename Of, typename Element>
struct Weights {
  using Tile = Of;
  static HWY_INLINE F load(const Tile& tile, int input, int row) {
    const hn::Rebind<Element, decltype(df)> de;
    const auto v = hn::LoadU(de, reinterpret_cast<const Element*>(tile.weight[input] + row));
    if constexpr (std::is_same_v<Element, float>) {
      return v;
    } else {
      return hn::PromoteTo(df, v);
    }
  }
};

// Adds tiles [first, last) of the inputs, which `tile` begins with, to out [tile_rows, columns].
template <typename Format, int columns>
void run_inputs(const TileJob& job, const typename Format::Tile* tile, int panel, int64_t first,
                int64_t last) {
  constexpr int lines = sizeof(tile->weight[0]) / 64;
  constexpr int ahead = 10;  // tiles
  // Of matrices with fewer inputs (an adapter's) that would be a place which another thread reads.
  const bool fetches = panel == 0 && job.layout->n_in / 16 > ahead;
  const auto* x = reinterpret_cast<const float*>(job.columns + panel * ActivationLayout::float_panel *
                                                                   job.layout->column_bytes());
  for (int row = 0; row < tile_rows; row += vectors * vector_size) {
    F sum[vectors][columns];
    for (int v = 0; v < vectors; ++v) {
      for (int c = 0; c < columns; ++c) sum[v][c] = hn::Zero(df);
    }
    for (int64_t t = first; t < last; ++t) {
      for (int i = 0; i < 16; ++i) {
        // The hardware's prefetchers lose their way at the end of a page.
        if (fetches) {
          for (int l = 0; l < lines; ++l) {
            hwy::Prefetch(reinterpret_cast<const std::byte*>(tile[t - first + ahead].weight[i]) + 64 * l);
          }
        }
        F w[vectors];
        for (int v = 0; v < vectors; ++v) w[v] = Format::load(tile[t - first], i, row + v * vector_size);
        const float* at = x + (t * 16 + i) * columns;
        for (int c = 0; c < columns; ++c) {
          const F value = hn::Set(df, at[c]);
          for (int v = 0; v < vectors; ++v) sum[v][c] = hn::MulAdd(w[v], value, sum[v][c]);
        }
      }
    }
    for (int c = 0; c < columns; ++c) {
      for (int v = 0; v < vectors; ++v) {
        float* out =
            job.out + (panel * ActivationLayout::float_panel + c) * tile_rows + row + v * vector_size;
        hn::Store(hn::Add(hn::Load(df, out), sum[v][c]), df, out);
      }
    }
  }
}

// The same for all columns.
template <typename Format>
void run_panels(const TileJob& job, const typename Format::Tile* tile, int64_t first, int64_t last) {
  const int panels = job.n_columns / ActivationLayout::float_panel;
  for (int g = 0; g < panels; ++g) run_inputs<Format, 8>(job, tile, g, first, last);
  switch (job.n_columns % ActivationLayout::float_panel) {
    case 1:
      return run_inputs<Format, 1>(job, tile, panels, first, last);
    case 2:
      return run_inputs<Format, 2>(job, tile, panels, first, last);
    case 3:
      return run_inputs<Format, 3>(job, tile, panels, first, last);
    case 4:
      return run_inputs<Format, 4>(job, tile, panels, first, last);
    case 5:
      return run_inputs<Format, 5>(job, tile, panels, first, last);
    case 6:
      return run_inputs<Format, 6>(job, tile, panels, first, last);
    case 7:
      return run_inputs<Format, 7>(job, tile, panels, first, last);
    default:
      return;
  }
}

void clear(const TileJob& job) {
  for (int i = 0; i < job.n_columns * tile_rows; i += vector_size) hn::Store(hn::Zero(df), df, job.out + i);
}

template <typename Format>
void run_tile(const TileJob& job) {
  clear(job);
  const auto* tile = reinterpret_cast<const typename Format::Tile*>(job.tile);
  const int64_t n_tiles = job.layout->n_in / 16;
  for (int64_t t = 0; t < n_tiles; t += run_tiles) {
    run_panels<Format>(job, tile + t, t, std::min(n_tiles, t + run_tiles));
  }
}

void tile_f16(const TileJob& job) {
  run_tile<Weights<HalfTile, hwy::float16_t>>(job);
}
void tile_bf16(const TileJob& job) {
  run_tile<Weights<HalfTile, hwy::bfloat16_t>>(job);
}
void tile_f32(const TileJob& job) {
  run_tile<Weights<FloatTile, float>>(job);
}

// The tile is rows as they lie in the file. 256 inputs of them at a time become floats, once for all columns.
void tile_of_file(const TileJob& job) {
  clear(job);
  static_assert(run_tiles * 16 == 256);
  const ggml_to_float_t to_float = ggml_get_type_traits(job.type)->to_float;
  const int64_t n_in = job.layout->n_in;
  const size_t row_bytes = ggml_row_size(job.type, n_in);
  HWY_ALIGN float values[256];
  FloatTile tiles[run_tiles];
  for (int64_t first = 0; first < n_in; first += 256) {
    const int64_t n = std::min<int64_t>(256, n_in - first);
    for (int row = 0; row < tile_rows; ++row) {
      to_float(job.tile + row * row_bytes + ggml_row_size(job.type, first), values, n);
      for (int64_t i = 0; i < n; ++i) tiles[i / 16].weight[i % 16][row] = values[i];
    }
    run_panels<Weights<FloatTile, float>>(job, tiles, first / 16, (first + n) / 16);
  }
}

}  // namespace lanerope::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lanerope::kernels {

HWY_EXPORT(tile_f16);
HWY_EXPORT(tile_bf16);
HWY_EXPORT(tile_f32);
HWY_EXPORT(tile_of_file);

TileKernel float_kernel(ggml_type type) {
  switch (type) {
    case GGML_TYPE_F16:
      return HWY_DYNAMIC_POINTER(tile_f16);
    case GGML_TYPE_BF16:
      return HWY_DYNAMIC_POINTER(tile_bf16);
    case GGML_TYPE_F32:
      return HWY_DYNAMIC_POINTER(tile_f32);
    default:
      return nullptr;
  }
}

TileKernel file_rows_kernel() {
  return HWY_DYNAMIC_POINTER(tile_of_file);
}

}  // namespace lanerope::kernels
#endif
