// SPDX-License-Identifier: Apache-2.0
#include "kernels/product.h"

#include <algorithm>
#include <cassert>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/product.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, as it wants.
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include "kernels/tile_kernel.h"

HWY_BEFORE_NAMESPACE();
namespace lanerope::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// gate = silu(gate) * up, [n].
void swiglu(float* HWY_RESTRICT gate, const float* HWY_RESTRICT up, int n) {
  const hn::CappedTag<float, 16> df;
  const auto one = hn::Set(df, 1.0F);
  for (int i = 0; i < n; i += static_cast<int>(hn::Lanes(df))) {
    const auto g = hn::Load(df, gate + i);
    const auto silu = hn::Div(g, hn::Add(one, hn::Exp(df, hn::Neg(g))));
    hn::Store(hn::Mul(silu, hn::Load(df, up + i)), df, gate + i);
  }
}

}  // namespace lanerope::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lanerope {

HWY_EXPORT(swiglu);

TileKernel tile_kernel(ggml_type type) {
  if (TileKernel kernel = k_quant_kernel(type)) return kernel;
  if (TileKernel kernel = block_32_kernel(type)) return kernel;
  return half_kernel(type);
}

namespace {

// Tiles of all parts in one row; a part is at most a few, so a walk finds it.
struct TilePlace {
  const PackedMatrix::Part* part;
  int64_t tile;
};

TilePlace place_of(const PackedMatrix& matrix, int64_t tile) {
  for (const PackedMatrix::Part& part : matrix.parts()) {
    const int64_t tiles = (part.n_out + tile_rows - 1) / tile_rows;
    if (tile < tiles) return {&part, tile};
    tile -= tiles;
  }
  return {};
}

int64_t tile_count(const ProductParameters& parameters) {
  int64_t tiles = 0;
  for (const PackedMatrix::Part& part : parameters.matrix->parts()) {
    tiles += (part.n_out + tile_rows - 1) / tile_rows;
    if (parameters.swiglu) break;
  }
  return tiles;
}

// A block of up to 64 columns.
struct ColumnRange {
  int64_t first;
  int count;
};

void run_tile(const ProductParameters& parameters, const ProductJob& job, int64_t index,
              ColumnRange columns) {
  const PackedMatrix& matrix = *parameters.matrix;
  const ColumnLayout layout(matrix.form(), matrix.n_in());
  alignas(64) float out[max_tile_columns * tile_rows];
  const TilePlace place = place_of(matrix, index);
  TileJob tile{.tile = matrix.tile(*place.part, place.tile),
               .layout = &layout,
               .columns = job.prepared + columns.first * layout.column_bytes(),
               .n_columns = columns.count,
               .out = out};
  tile_kernel(place.part->type)(tile);

  int64_t row = place.tile * tile_rows;
  const int rows = static_cast<int>(std::min<int64_t>(tile_rows, place.part->n_out - row));
  const auto add_bias = [&](float* values, int64_t at) {
    if (parameters.bias == nullptr) return;
    for (int c = 0; c < columns.count; ++c) {
      for (int r = 0; r < rows; ++r) values[c * tile_rows + r] += parameters.bias[at + r];
    }
  };
  row += place.part->first_row;
  add_bias(out, row);
  if (parameters.swiglu) {
    const PackedMatrix::Part& up_part = matrix.parts()[1];
    alignas(64) float up[max_tile_columns * tile_rows];
    tile.tile = matrix.tile(up_part, place.tile);
    tile.out = up;
    tile_kernel(up_part.type)(tile);
    add_bias(up, row + up_part.first_row);
    HWY_DYNAMIC_DISPATCH(swiglu)(out, up, columns.count * tile_rows);
  }
  for (int c = 0; c < columns.count; ++c) {
    std::copy_n(out + c * tile_rows, rows, job.y + (columns.first + c) * job.column_stride + row);
  }
}

}  // namespace

void product(const ProductParameters& parameters, const ProductJob& job) {
  assert(!parameters.swiglu || parameters.matrix->parts().size() == 2);
  const int64_t tiles = tile_count(parameters);
  // Small enough that threads end together, large enough that taking one costs nothing.
  const int64_t chunk = std::clamp<int64_t>(tiles / (8 * job.n_threads), 1, 16);
  const int64_t chunks = (tiles + chunk - 1) / chunk;
  const int64_t blocks = (job.n_columns + max_tile_columns - 1) / max_tile_columns;
  const int64_t total = chunks * blocks;
  for (;;) {
    const int64_t ticket = parameters.next_chunk.fetch_add(1, std::memory_order_relaxed);
    if (ticket >= total) {
      // Each thread draws one ticket too many; who draws the last knows that nobody draws again.
      if (ticket == total + job.n_threads - 1) parameters.next_chunk.store(0, std::memory_order_relaxed);
      return;
    }
    const int64_t first_column = ticket / chunks * max_tile_columns;
    const ColumnRange columns{
        first_column, static_cast<int>(std::min<int64_t>(max_tile_columns, job.n_columns - first_column))};
    const int64_t first = ticket % chunks * chunk;
    for (int64_t t = first; t < std::min(first + chunk, tiles); ++t) run_tile(parameters, job, t, columns);
  }
}

ggml_tensor* product(ggml_context* context, const ProductParameters* parameters, ggml_tensor* x) {
  if (x->type == GGML_TYPE_F32) x = prepare_columns(context, &parameters->columns, x);
  const auto run = [](ggml_tensor* y, int, int n_threads, void* data) {
    product(*static_cast<const ProductParameters*>(data),
            {.prepared = static_cast<const std::byte*>(y->src[0]->data),
             .n_columns = y->ne[1],
             .y = static_cast<float*>(y->data),
             .column_stride = static_cast<int64_t>(y->nb[1] / sizeof(float)),
             .n_threads = n_threads});
  };
  return ggml_custom_4d(context, GGML_TYPE_F32, parameters->n_out(), x->ne[1], 1, 1, &x, 1, run,
                        GGML_N_TASKS_MAX, const_cast<ProductParameters*>(parameters));
}

}  // namespace lanerope
#endif
