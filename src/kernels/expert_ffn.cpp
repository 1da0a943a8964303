// SPDX-License-Identifier: Apache-2.0
#include "kernels/expert_ffn.h"

#include <algorithm>
#include <cassert>
#include <new>

#include "kernels/thread_pool.h"
#include "kernels/tile_kernel.h"

namespace lanerope::kernels {

namespace {

using Group = ExpertRouting::Group;

// Columns of one expert that are prepared together, one panel of them.
struct Panel {
  int32_t first = 0;
  int32_t n = 0;
};

// The columns of all experts, each expert's in panels of its own.
std::vector<Panel> panels_of(const ExpertRouting& routing, int32_t width) {
  std::vector<Panel> panels;
  for (const Group& group : routing.groups()) {
    for (int32_t c = 0; c < group.n; c += width)
      panels.push_back({.first = group.first + c, .n = std::min(width, group.n - c)});
  }
  return panels;
}

// Prepares all columns for `of`: column c from column sources[c] of x, or from column c without.
struct Inputs {
  const float* x = nullptr;
  int64_t stride = 0;
  const int32_t* sources = nullptr;
};
void prepare(const ProductParameters& of, const Inputs& inputs, std::byte* prepared,
             const ExpertFfnParameters& parameters) {
  const ActivationLayout layout(of.activations.form, of.matrix->n_in());
  const std::vector<Panel> panels = panels_of(parameters.work->routing, layout.panel_columns());
  const auto n_panels = static_cast<int64_t>(panels.size());
  // Few panels are cut along their inputs as well.
  const int64_t chunks = (layout.n_in + LowRank::chunk - 1) / LowRank::chunk;
  const int64_t wanted = (2 * parameters.pool->n_threads() + n_panels - 1) / n_panels;
  const int64_t runs = std::clamp<int64_t>(wanted, 1, chunks);
  parameters.pool->run(n_panels * runs, [&](const Tickets& tickets) {
    for (int64_t ticket; (ticket = tickets.take()) >= 0;) {
      const Panel& panel = panels[ticket / runs];
      ColumnJob job{.x = inputs.x,
                    .n_in = of.matrix->n_in(),
                    .n_columns = panel.n,
                    .column_stride = inputs.stride,
                    .prepared = prepared + panel.first * layout.column_bytes(),
                    .thread = static_cast<int>(ticket % runs),
                    .n_threads = static_cast<int>(runs)};
      if (inputs.sources != nullptr) {
        job.columns = inputs.sources + panel.first;
      } else {
        job.x += panel.first * inputs.stride;
      }
      prepare_activations(of.activations, job);
    }
  });
}

// Multiplies each expert with its columns, `parts` parts of the matrix an expert: y [n_out, n_columns].
void multiply(const ProductParameters& of, int32_t parts, float* y, const ExpertFfnParameters& parameters) {
  const ExpertRouting& routing = parameters.work->routing;
  const ActivationLayout layout(of.activations.form, of.matrix->n_in());
  const PackedMatrix::Part& first = of.matrix->parts().front();
  const int64_t tiles = tile_count(of, {.first = 0, .n = parts});
  struct Piece {
    const Group* group;
    ProductPiece piece;
  };
  std::vector<Piece> pieces;
  const auto n_groups = static_cast<int64_t>(routing.groups().size());
  const int64_t chunk = std::clamp<int64_t>(tiles * n_groups / (8 * parameters.pool->n_threads()), 1, 16);
  for (const Group& group : routing.groups()) {
    for (int32_t c = 0; c < group.n; c += max_tile_columns) {
      for (int64_t t = 0; t < tiles; t += chunk) {
        pieces.push_back({&group,
                          {.first_tile = t,
                           .n_tiles = std::min(chunk, tiles - t),
                           .first_column = c,
                           .n_columns = std::min(max_tile_columns, group.n - c)}});
      }
    }
  }
  parameters.pool->run(static_cast<int64_t>(pieces.size()), [&](const Tickets& tickets) {
    for (int64_t ticket; (ticket = tickets.take()) >= 0;) {
      const auto& [group, piece] = pieces[ticket];
      const std::byte* prepared = parameters.work->prepared() + group->first * layout.column_bytes();
      product(of,
              {.prepared = prepared,
               .n_columns = group->n,
               .parts = {.first = group->expert * parts, .n = parts},
               .y = y + group->first * first.n_out,
               .column_stride = first.n_out},
              piece);
    }
  });
}

// out = the sum of a row's columns, each times its share, the greatest first.
void combine(const ExpertFfnJob& job, const ExpertFfnParameters& parameters) {
  const ExpertRouting& routing = parameters.work->routing;
  const float* outer = parameters.work->outer();
  const int64_t n_out = parameters.down->matrix->parts().front().n_out;
  parameters.pool->run(job.scores.n_rows, [&](const Tickets& tickets) {
    for (int64_t row; (row = tickets.take()) >= 0;) {
      float* y = job.y + row * n_out;
      std::fill_n(y, n_out, 0.0F);
      for (int32_t i = 0; i < routing.n_used(); ++i) {
        const float* column = outer + routing.columns()[row * routing.n_used() + i] * n_out;
        const float share = routing.shares()[row * routing.n_used() + i];
        for (int64_t k = 0; k < n_out; ++k) y[k] += share * column[k];
      }
    }
  });
}

}  // namespace

void ExpertWork::Free::operator()(std::byte* memory) const {
  ::operator delete(memory, std::align_val_t{64});
}

void ExpertWork::Buffer::reserve(size_t wanted) {
  if (wanted <= bytes) return;
  memory.reset();  // before the new one is there
  memory.reset(static_cast<std::byte*>(::operator new(wanted, std::align_val_t{64})));
  bytes = wanted;
}

void ExpertWork::reserve(size_t prepared_bytes, size_t inner_bytes, size_t outer_bytes) {
  prepared_.reserve(prepared_bytes);
  inner_.reserve(inner_bytes);
  outer_.reserve(outer_bytes);
}

void expert_ffn(const ExpertFfnParameters& parameters, const ExpertFfnJob& job) {
  const ProductParameters& gate_up = *parameters.gate_up;
  const ProductParameters& down = *parameters.down;
  assert(gate_up.gating != Gating::none && down.gating == Gating::none);
  ExpertWork& work = *parameters.work;
  work.routing.route(job.scores);
  const auto n_columns = static_cast<size_t>(work.routing.n_columns());
  const auto bytes_of = [](const ProductParameters& of) {
    return ActivationLayout(of.activations.form, of.matrix->n_in()).column_bytes();
  };
  const int64_t n_ffn = gate_up.matrix->parts().front().n_out;
  const int64_t n_embd = down.matrix->parts().front().n_out;
  work.reserve(std::max(bytes_of(gate_up), bytes_of(down)) * n_columns, n_ffn * n_columns * sizeof(float),
               n_embd * n_columns * sizeof(float));

  prepare(gate_up, {.x = job.x, .stride = job.row_stride, .sources = work.routing.rows().data()},
          work.prepared(), parameters);
  multiply(gate_up, 2, work.inner(), parameters);
  prepare(down, {.x = work.inner(), .stride = n_ffn}, work.prepared(), parameters);
  multiply(down, 1, work.outer(), parameters);
  combine(job, parameters);
}

ggml_tensor* expert_ffn(ggml_context* context, const ExpertFfnParameters* parameters, ggml_tensor* x,
                        ggml_tensor* scores) {
  const auto run = [](ggml_tensor* y, int, int, void* data) {
    const ggml_tensor* inputs = y->src[0];
    const ggml_tensor* router = y->src[1];
    expert_ffn(*static_cast<const ExpertFfnParameters*>(data),
               {.x = static_cast<const float*>(inputs->data),
                .row_stride = static_cast<int64_t>(inputs->nb[1] / sizeof(float)),
                .scores = {.data = static_cast<const float*>(router->data),
                           .n_rows = router->ne[1],
                           .row_stride = static_cast<int64_t>(router->nb[1] / sizeof(float))},
                .y = static_cast<float*>(y->data)});
  };
  assert(x->type == GGML_TYPE_F32 && scores->type == GGML_TYPE_F32 && x->ne[1] == scores->ne[1]);
  ggml_tensor* arguments[] = {x, scores};
  ggml_tensor* y = ggml_custom_4d(context, GGML_TYPE_F32, x->ne[0], x->ne[1], 1, 1, arguments, 2, run, 1,
                                  const_cast<ExpertFfnParameters*>(parameters));
  ggml_set_name(y, "experts");
  return y;
}

}  // namespace lanerope::kernels
