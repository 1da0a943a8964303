// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/half_kernel.cpp"
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

template <typename Half>
HWY_INLINE F load_half(const uint16_t* p) {
  const hn::Rebind<Half, decltype(df)> dh;
  return hn::PromoteTo(df, hn::LoadU(dh, reinterpret_cast<const Half*>(p)));
}

// Adds tiles [first, last) of the inputs to out [tile_rows, columns].
template <typename Half, int columns>
void run_inputs(const TileJob& job, int panel, int64_t first, int64_t last) {
  const auto* tile = reinterpret_cast<const HalfTile*>(job.tile);
  const auto* x = reinterpret_cast<const float*>(job.columns + panel * ActivationLayout::panel_columns *
                                                                   job.layout->column_bytes());
  for (int row = 0; row < tile_rows; row += vectors * vector_size) {
    F sum[vectors][columns];
    for (int v = 0; v < vectors; ++v) {
      for (int c = 0; c < columns; ++c) sum[v][c] = hn::Zero(df);
    }
    for (int64_t t = first; t < last; ++t) {
      for (int i = 0; i < 16; ++i) {
        // The hardware's prefetchers lose their way at the end of a page.
        if (panel == 0) hwy::Prefetch(tile[t + 10].weight[i]);
        F w[vectors];
        for (int v = 0; v < vectors; ++v) w[v] = load_half<Half>(tile[t].weight[i] + row + v * vector_size);
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
            job.out + (panel * ActivationLayout::panel_columns + c) * tile_rows + row + v * vector_size;
        hn::Store(hn::Add(hn::Load(df, out), sum[v][c]), df, out);
      }
    }
  }
}

template <typename Half>
void run_tile(const TileJob& job) {
  for (int i = 0; i < job.n_columns * tile_rows; i += vector_size) hn::Store(hn::Zero(df), df, job.out + i);
  const int64_t n_tiles = job.layout->n_in / 16;
  const int panels = job.n_columns / ActivationLayout::panel_columns;
  for (int64_t t = 0; t < n_tiles; t += run_tiles) {
    const int64_t last = std::min(n_tiles, t + run_tiles);
    for (int g = 0; g < panels; ++g) run_inputs<Half, 8>(job, g, t, last);
    switch (job.n_columns % ActivationLayout::panel_columns) {
      case 1:
        run_inputs<Half, 1>(job, panels, t, last);
        break;
      case 2:
        run_inputs<Half, 2>(job, panels, t, last);
        break;
      case 3:
        run_inputs<Half, 3>(job, panels, t, last);
        break;
      case 4:
        run_inputs<Half, 4>(job, panels, t, last);
        break;
      case 5:
        run_inputs<Half, 5>(job, panels, t, last);
        break;
      case 6:
        run_inputs<Half, 6>(job, panels, t, last);
        break;
      case 7:
        run_inputs<Half, 7>(job, panels, t, last);
        break;
      default:
        break;
    }
  }
}

void tile_f16(const TileJob& job) {
  run_tile<hwy::float16_t>(job);
}
void tile_bf16(const TileJob& job) {
  run_tile<hwy::bfloat16_t>(job);
}

}  // namespace lanerope::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lanerope::kernels {

HWY_EXPORT(tile_f16);
HWY_EXPORT(tile_bf16);

TileKernel half_kernel(ggml_type type) {
  switch (type) {
    case GGML_TYPE_F16:
      return HWY_DYNAMIC_POINTER(tile_f16);
    case GGML_TYPE_BF16:
      return HWY_DYNAMIC_POINTER(tile_bf16);
    default:
      return nullptr;
  }
}

}  // namespace lanerope::kernels
#endif
