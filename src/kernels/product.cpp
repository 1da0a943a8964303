// SPDX-License-Identifier: Apache-2.0
#include "kernels/product.h"

#include <algorithm>
#include <cassert>
#include <span>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/product.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, as it wants.
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include "kernels/thread_pool.h"
#include "kernels/tile_kernel.h"

HWY_BEFORE_NAMESPACE();
namespace lanerope::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// gate = silu(gate) * up, [n].
void silu_gate(float* HWY_RESTRICT gate, const float* HWY_RESTRICT up, int n) {
  const hn::CappedTag<float, 16> df;
  const auto one = hn::Set(df, 1.0F);
  for (int i = 0; i < n; i += static_cast<int>(hn::Lanes(df))) {
    const auto g = hn::Load(df, gate + i);
    const auto silu = hn::Div(g, hn::Add(one, hn::Exp(df, hn::Neg(g))));
    hn::Store(hn::Mul(silu, hn::Load(df, up + i)), df, gate + i);
  }
}

// gate = gelu(gate) * up, [n]: x / 2 * (1 + tanh(z)) = x / (1 + exp(-2 z)), z = sqrt(2 / pi) * (x + 0.044715
// x^3).
void gelu_gate(float* HWY_RESTRICT gate, const float* HWY_RESTRICT up, int n) {
  const hn::CappedTag<float, 16> df;
  const auto one = hn::Set(df, 1.0F);
  const auto linear = hn::Set(df, -1.5957691216057308F);
  const auto cubic = hn::Set(df, -1.5957691216057308F * 0.044715F);
  const auto most = hn::Set(df, 80.0F);
  for (int i = 0; i < n; i += static_cast<int>(hn::Lanes(df))) {
    const auto g = hn::Load(df, gate + i);
    // Exp is not defined beyond 104, and the cube gets there.
    const auto z = hn::Min(hn::Mul(g, hn::MulAdd(cubic, hn::Mul(g, g), linear)), most);
    const auto gelu = hn::Div(g, hn::Add(one, hn::Exp(df, z)));
    hn::Store(hn::Mul(gelu, hn::Load(df, up + i)), df, gate + i);
  }
}

// gate = gate * sigmoid(1.702 gate) * (up + 1) of clamped values, [n].
void clamped_silu_gate(float* HWY_RESTRICT gate, const float* HWY_RESTRICT up, int n) {
  const hn::CappedTag<float, 16> df;
  const auto one = hn::Set(df, 1.0F);
  const auto limit = hn::Set(df, 7.0F);
  const auto slope = hn::Set(df, -1.702F);
  const auto most = hn::Set(df, 80.0F);  // Exp is not defined beyond 104
  for (int i = 0; i < n; i += static_cast<int>(hn::Lanes(df))) {
    const auto g = hn::Min(hn::Load(df, gate + i), limit);
    const auto u = hn::Clamp(hn::Load(df, up + i), hn::Neg(limit), limit);
    const auto silu = hn::Div(g, hn::Add(one, hn::Exp(df, hn::Min(hn::Mul(slope, g), most))));
    hn::Store(hn::Mul(silu, hn::Add(u, one)), df, gate + i);
  }
}

}  // namespace lanerope::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lanerope::kernels {

HWY_EXPORT(silu_gate);
HWY_EXPORT(gelu_gate);
HWY_EXPORT(clamped_silu_gate);

TileKernel tile_kernel(ggml_type type) {
  if (TileKernel kernel = k_quant_kernel(type)) return kernel;
  if (TileKernel kernel = low_bit_kernel(type)) return kernel;
  if (TileKernel kernel = codebook_kernel(type)) return kernel;
  if (TileKernel kernel = block_32_kernel(type)) return kernel;
  if (TileKernel kernel = float_kernel(type)) return kernel;
  return file_rows_kernel();
}

namespace {

// Tiles of all parts in one row; a part is at most a few, so a walk finds it.
struct TilePlace {
  const PackedMatrix::Part* part;
  int64_t tile;
};

std::span<const PackedMatrix::Part> parts_of(const PackedMatrix& matrix, PartRange range) {
  const auto from = matrix.parts().subspan(range.first);
  return range.n > 0 ? from.first(range.n) : from;
}

TilePlace place_of(std::span<const PackedMatrix::Part> parts, int64_t tile) {
  for (const PackedMatrix::Part& part : parts) {
    const int64_t tiles = (part.n_out + tile_rows - 1) / tile_rows;
    if (tile < tiles) return {&part, tile};
    tile -= tiles;
  }
  return {};
}

TileKernel kernel_of(const PackedMatrix::Part& part) {
  return part.form == PackedMatrix::Form::best ? tile_kernel(part.type) : file_rows_kernel();
}

// A block of up to 64 columns.
struct ColumnRange {
  int64_t first;
  int count;
};

void gate(Gating gating, float* out, const float* up, int n) {
  switch (gating) {
    case Gating::none:
      return;
    case Gating::silu:
      return HWY_DYNAMIC_DISPATCH(silu_gate)(out, up, n);
    case Gating::gelu:
      return HWY_DYNAMIC_DISPATCH(gelu_gate)(out, up, n);
    case Gating::clamped_silu:
      return HWY_DYNAMIC_DISPATCH(clamped_silu_gate)(out, up, n);
  }
}

void run_tile(const ProductParameters& parameters, const ProductJob& job, int64_t index,
              ColumnRange columns) {
  const PackedMatrix& matrix = *parameters.matrix;
  const auto parts = parts_of(matrix, job.parts);
  const ActivationLayout layout(matrix.form(), matrix.n_in());
  alignas(64) float out[max_tile_columns * tile_rows];
  const TilePlace place = place_of(parts, index);
  TileJob tile{.type = place.part->type,
               .tile = matrix.tile(*place.part, place.tile),
               .layout = &layout,
               .columns = job.prepared + columns.first * layout.column_bytes(),
               .n_columns = columns.count,
               .out = out};
  UpJob up_job{.part = static_cast<int32_t>(place.part - matrix.parts().data()),
               .tile = place.tile,
               .first = columns.first,
               .columns = columns.count,
               .out = out};
  const auto run = [&](const PackedMatrix::Part& part) {
    if (job.corrections.of != nullptr) fetch_up(job.corrections, up_job);
    kernel_of(part)(tile);
    if (job.corrections.of != nullptr) add_up(job.corrections, up_job);
  };
  run(*place.part);

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
  if (parameters.gating != Gating::none) {
    const PackedMatrix::Part& up_part = parts[1];
    alignas(64) float up[max_tile_columns * tile_rows];
    tile.type = up_part.type;
    tile.tile = matrix.tile(up_part, place.tile);
    tile.out = up;
    up_job.part = job.parts.first + 1;
    up_job.out = up;
    run(up_part);
    add_bias(up, row + up_part.first_row - place.part->first_row);
    gate(parameters.gating, out, up, columns.count * tile_rows);
  }
  row -= parts.front().first_row;
  for (int64_t c = 0; c < columns.count; ++c) {
    const float* from = out + c * tile_rows;
    float* y = job.y + (columns.first + c) * job.column_stride + row;
    if (job.residual == nullptr) {
      std::copy_n(from, rows, y);
    } else {
      const float* residual = job.residual + (columns.first + c) * job.residual_stride + row;
      for (int r = 0; r < rows; ++r) y[r] = from[r] + residual[r];
    }
  }
}

// The rows and columns of one product, cut into tickets: a run of tiles for up to 64 columns.
struct Cut {
  int64_t tiles;
  int64_t
      chunk;  // tiles of a ticket: few enough that threads end together, enough that taking one costs nothing
  int64_t chunks;
  int64_t n_columns;

  Cut(const ProductParameters& parameters, PartRange parts, int64_t columns, int n_threads)
      : tiles(tile_count(parameters, parts)),
        chunk(std::clamp<int64_t>(tiles / (8 * n_threads), 1, 16)),
        chunks((tiles + chunk - 1) / chunk),
        n_columns(columns) {}

  int64_t tickets() const { return chunks * ((n_columns + max_tile_columns - 1) / max_tile_columns); }
};

void run_tickets(const ProductParameters& parameters, const ProductJob& job, const Cut& cut,
                 const Tickets& tickets) {
  for (int64_t ticket; (ticket = tickets.take()) >= 0;) {
    const int64_t column = ticket / cut.chunks * max_tile_columns;
    const ColumnRange columns{column,
                              static_cast<int>(std::min<int64_t>(max_tile_columns, cut.n_columns - column))};
    const int64_t first = ticket % cut.chunks * cut.chunk;
    for (int64_t t = first; t < std::min(first + cut.chunk, cut.tiles); ++t)
      run_tile(parameters, job, t, columns);
  }
}

}  // namespace

int64_t tile_count(const ProductParameters& parameters, PartRange parts) {
  int64_t tiles = 0;
  for (const PackedMatrix::Part& part : parts_of(*parameters.matrix, parts)) {
    tiles += (part.n_out + tile_rows - 1) / tile_rows;
    if (parameters.gating != Gating::none) break;
  }
  return tiles;
}

void product(const ProductParameters& parameters, const ProductJob& job, const ProductPiece& piece) {
  assert(piece.n_columns <= max_tile_columns);
  for (int64_t t = piece.first_tile; t < piece.first_tile + piece.n_tiles; ++t)
    run_tile(parameters, job, t, {piece.first_column, piece.n_columns});
}

void product(const ProductParameters& parameters, const ProductJob& job) {
  assert(parameters.gating == Gating::none || parts_of(*parameters.matrix, job.parts).size() == 2);
  if (ThreadPool* pool = parameters.activations.pool) {
    const Cut cut(parameters, job.parts, job.n_columns, pool->n_threads());
    pool->run(cut.tickets(), [&](const Tickets& tickets) { run_tickets(parameters, job, cut, tickets); });
    return;
  }
  const Cut cut(parameters, job.parts, job.n_columns, job.n_threads);
  run_tickets(parameters, job, cut, {parameters.next_chunk, cut.tickets(), job.n_threads});
}

ggml_tensor* product(ggml_context* context, const ProductParameters* parameters,
                     const ProductInputs& inputs) {
  ggml_tensor* x = inputs.x;
  if (x->type == GGML_TYPE_F32) {
    x = prepare_activations(context, &parameters->activations, x, inputs.scales);
    ggml_set_name(x, ("columns of " + parameters->name).c_str());
  }
  assert(x->src[1] == inputs.scales);
  const auto run = [](ggml_tensor* y, int, int n_threads, void* data) {
    const auto& of = *static_cast<const ProductParameters*>(data);
    const ggml_tensor* prepared = y->src[0];
    ProductJob job{.prepared = static_cast<const std::byte*>(prepared->data),
                   .n_columns = y->ne[1],
                   .parts = {},
                   .y = static_cast<float*>(y->data),
                   .column_stride = static_cast<int64_t>(y->nb[1] / sizeof(float)),
                   .residual = nullptr,
                   .residual_stride = 0,
                   .corrections = corrections_of(of.activations, prepared, of.matrix->n_in()),
                   .n_threads = n_threads};
    const ggml_tensor* added = y->src[1];
    if (added != nullptr && added != prepared->src[1]) {
      job.residual = static_cast<const float*>(added->data);
      job.residual_stride = static_cast<int64_t>(added->nb[1] / sizeof(float));
    }
    product(of, job);
  };
  // The scales are read here too, so they must live as long.
  ggml_tensor* arguments[3] = {x};
  int n_arguments = 1;
  if (inputs.residual != nullptr) arguments[n_arguments++] = inputs.residual;
  if (inputs.scales != nullptr) arguments[n_arguments++] = inputs.scales;
  ggml_tensor* y =
      ggml_custom_4d(context, GGML_TYPE_F32, parameters->n_out(), x->ne[1], 1, 1, arguments, n_arguments, run,
                     parameters->activations.pool != nullptr ? 1 : GGML_N_TASKS_MAX,
                     const_cast<ProductParameters*>(parameters));
  ggml_set_name(y, parameters->name.c_str());
  return y;
}

}  // namespace lanerope::kernels
#endif
