// SPDX-License-Identifier: Apache-2.0
#include "model/tile_attention.h"

#include <utility>

#include <ggml-backend.h>

#include "model/workers.h"

namespace lanerope::model {

namespace {

// Fills an input with what `get` finds in a batch.
template <typename Get>
GraphBuilder::Fill filled_with(Get get) {
  return [get](const Batch& batch, ggml_tensor* t) {
    ggml_backend_tensor_set(t, get(batch).data(), 0, ggml_nbytes(t));
  };
}

// Which tiles of a batch an input is about.
struct Where {
  int32_t attention_class = 0;
  size_t size = 0;

  const core::TileTensors& of(const Batch& batch) const { return batch.tensors[attention_class].sizes[size]; }
};

ggml_tensor* contiguous(ggml_context* context, ggml_tensor* x) {
  return ggml_is_contiguous(x) ? x : ggml_cont(context, x);
}

// Null for memory that is no device's.
ggml_backend_dev_t device_of(const ggml_tensor* cells) {
  return ggml_backend_buft_get_device(ggml_backend_buffer_get_type(cells->buffer));
}

}  // namespace

TileAttention::PlanInputs& TileAttention::inputs(GraphBuilder& graph, int32_t attention_class) {
  if (plans_.empty()) plans_.resize(graph.batch().tensors.size());
  PlanInputs& plan = plans_[attention_class];
  if (!plan.sizes.empty()) return plan;

  const core::PlanShape& shape = graph.batch().tensors[attention_class].shape;
  for (size_t size = 0; size < shape.sizes.size(); ++size) {
    const Where at{.attention_class = attention_class, .size = size};
    TileInputs& tiles = plan.sizes.emplace_back();
    tiles.shape = shape.sizes[size];
    tiles.omegas.resize(tiles.shape.n_omegas);
    const int64_t n_rows = static_cast<int64_t>(tiles.shape.n_rows) * tiles.shape.n_tiles;
    const int64_t n_cells = static_cast<int64_t>(tiles.shape.n_cells()) * tiles.shape.n_tiles;
    const auto add = [&](int64_t n, auto get) {
      return graph.input(GGML_TYPE_I32, {n, 1}, filled_with(get));
    };
    tiles.rows = add(n_rows, [at](const Batch& batch) { return std::span(at.of(batch).rows); });
    tiles.cells = add(n_cells, [at](const Batch& batch) { return std::span(at.of(batch).cells); });
    tiles.mask = graph.input(GGML_TYPE_F32, {tiles.shape.n_cells(), n_rows},
                             filled_with([at](const Batch& batch) { return std::span(at.of(batch).mask); }));
    tiles.mask = ggml_reshape_4d(graph.context(), tiles.mask, tiles.shape.n_cells(), tiles.shape.n_rows, 1,
                                 tiles.shape.n_tiles);
    for (size_t v = 0; v < tiles.shape.regions.size(); ++v) {
      const core::RegionShape& of = tiles.shape.regions[v];
      const int64_t n = static_cast<int64_t>(of.n_cells) * tiles.shape.n_tiles;
      const auto part = [&](int64_t length, auto member) {
        return add(length, [at, v, member](const Batch& batch) {
          return std::span(at.of(batch).regions[v].*member);
        });
      };
      const auto parts = [&](int64_t length, core::LaneOffsets core::RegionTensors::* member) {
        std::vector<ggml_tensor*> list;
        for (int32_t f = 0; f < tiles.shape.n_omegas; ++f) {
          list.push_back(add(length, [at, v, f, member](const Batch& batch) {
            return std::span((at.of(batch).regions[v].*member)[f]);
          }));
        }
        return list;
      };
      RegionInputs& region = tiles.regions.emplace_back();
      region.cells = part(n, &core::RegionTensors::cells);
      if (of.key_tokens) region.key_tokens = part(n, &core::RegionTensors::key_tokens);
      if (of.query_tokens) region.query_tokens = part(n_rows, &core::RegionTensors::query_tokens);
      if (of.key_lanes) region.key_lanes = parts(n, &core::RegionTensors::key_lanes);
      if (of.query_lanes) region.query_lanes = parts(n_rows, &core::RegionTensors::query_lanes);
    }
  }
  plan.slots = graph.input(GGML_TYPE_I32, {graph.batch().n_rows(), 1},
                           filled_with([attention_class](const Batch& batch) {
                             return std::span(batch.tensors[attention_class].slots);
                           }));
  return plan;
}

// What omega number f divides frequencies by in the layer.
ggml_tensor* TileAttention::omega(GraphBuilder& graph, const LayerWeights& layer, const OmegaOf& which) {
  TileInputs& tiles = plans_[graph.config(layer).attention_class].sizes[which.size];
  if (tiles.omegas[which.omega] != nullptr && !tiles.shape.omega_of_layers) return tiles.omegas[which.omega];
  const Where at{.attention_class = graph.config(layer).attention_class, .size = which.size};
  const arch::ModelConfig& config = graph.config();
  ggml_tensor* divisors =
      graph.input(GGML_TYPE_F32, {config.rope().dimensions / 2, 1},
                  [at, which, &config, index = layer.index](const Batch& batch, ggml_tensor* t) {
                    const std::vector<float> values = frequency_divisors(
                        config.rope(), at.of(batch).omegas[which.omega]->omega_of_layer(index));
                    ggml_backend_tensor_set(t, values.data(), 0, ggml_nbytes(t));
                  });
  tiles.omegas[which.omega] = divisors;
  return divisors;
}

ggml_tensor* TileAttention::rotated(GraphBuilder& graph, const LayerWeights& layer, ggml_tensor* x,
                                    const Rotation& by) {
  for (size_t f = 0; f < by.lanes.size(); ++f)
    x = graph.rotate(x, by.lanes[f], omega(graph, layer, {.size = by.size, .omega = f}));
  if (by.tokens == nullptr) return x;
  const arch::AttentionConfig& attention = graph.config(layer).attention;
  return graph.rotate(x, by.tokens, graph.theta(attention.rope).theta);
}

// Where one product gives all scores and keys meet it as they are stored, which f16 holds.
ggml_tensor* TileAttention::flash(GraphBuilder& graph, const Tiles& of) {
  ggml_context* context = graph.context();
  const arch::AttentionConfig& h = graph.config(of.layer).attention;
  TileInputs& tiles = inputs(graph, graph.config(of.layer).attention_class).sizes[of.size];
  const RegionInputs& region = tiles.regions.front();
  const bool as_stored = region.key_tokens == nullptr && region.key_lanes.empty();
  ggml_backend_dev_t device = device_of(graph.pool().keys[of.layer.index]);
  if (device == nullptr || !is_local_gpu(device) || tiles.regions.size() > 1 || !as_stored ||
      of.with.keys->type == GGML_TYPE_F32)
    return nullptr;

  const int64_t n_rows = tiles.shape.n_rows;
  const int64_t n_tiles = tiles.shape.n_tiles;
  ggml_tensor* q = rotated(graph, of.layer, of.rows,
                           {.size = of.size, .lanes = region.query_lanes, .tokens = region.query_tokens});
  q = ggml_reshape_4d(context, q, h.head_dim, h.n_head, n_rows, n_tiles);
  const auto gathered = [&](ggml_tensor* pool) {  // [head_dim, n_cells, n_head_kv, n_tiles]
    ggml_tensor* x = ggml_cast(context, ggml_get_rows(context, pool, region.cells), GGML_TYPE_F16);
    x = ggml_reshape_4d(context, x, h.head_dim, h.n_head_kv, tiles.shape.n_cells(), n_tiles);
    return ggml_permute(context, x, 0, 2, 1, 3);
  };
  if (tiles.half_mask == nullptr) tiles.half_mask = ggml_cast(context, tiles.mask, GGML_TYPE_F16);
  ggml_tensor* y = ggml_flash_attn_ext(context, ggml_permute(context, q, 0, 2, 1, 3), gathered(of.with.keys),
                                       gathered(of.with.values), tiles.half_mask, h.scale, 0.0F,
                                       h.score_cap);  // [head_dim, n_head, n_rows, n_tiles]
  ggml_prec_set_acc(y, GGML_PREC_F32);
  if (of.layer.attn_sinks != nullptr) ggml_flash_attn_ext_add_sinks(y, of.layer.attn_sinks);
  if (!ggml_backend_dev_supports_op(device, y)) return nullptr;
  return ggml_reshape_2d(context, y, h.query_width(), n_rows * n_tiles);
}

ggml_tensor* TileAttention::attend_tiles(GraphBuilder& graph, const LayerWeights& layer, const Operands& with,
                                         size_t size) {
  ggml_context* context = graph.context();
  const arch::AttentionConfig& h = graph.config(layer).attention;
  const core::PlanTensors& plan = graph.batch().tensors[graph.config(layer).attention_class];
  const TileInputs& tiles = inputs(graph, graph.config(layer).attention_class).sizes[size];
  const int64_t n_rows = tiles.shape.n_rows;
  const int64_t n_tiles = tiles.shape.n_tiles;
  const int64_t n_columns = n_rows * (h.n_head / h.n_head_kv);  // of one KV head, row after row of each head

  ggml_tensor* rows = contiguous(context, with.q);  // [head_dim, n_head, n_rows * n_tiles]
  if (!plan.shape.in_order) {
    rows = ggml_get_rows(context, ggml_reshape_2d(context, rows, h.query_width(), rows->ne[2]), tiles.rows);
    rows = ggml_reshape_3d(context, rows, h.head_dim, h.n_head, n_rows * n_tiles);
  }

  if (ggml_tensor* fused = flash(graph, {.layer = layer, .with = with, .size = size, .rows = rows}))
    return fused;

  ggml_tensor* scores = nullptr;  // [cells of the regions so far, n_columns, n_head_kv, n_tiles]
  for (size_t v = 0; v < tiles.regions.size(); ++v) {
    const RegionInputs& region = tiles.regions[v];
    const int64_t n_cells = tiles.shape.regions[v].n_cells;
    ggml_tensor* q = rotated(graph, layer, rows,
                             {.size = size, .lanes = region.query_lanes, .tokens = region.query_tokens});
    q = ggml_reshape_4d(context, q, h.head_dim, h.n_head, n_rows, n_tiles);
    q = ggml_cont(context, ggml_permute(context, q, 0, 2, 1, 3));  // [head_dim, n_rows, n_head, n_tiles]
    q = ggml_reshape_4d(context, q, h.head_dim, n_columns, h.n_head_kv, n_tiles);
    ggml_tensor* k = ggml_get_rows(context, with.keys, region.cells);  // [kv_width, n_cells * n_tiles]
    k = ggml_reshape_3d(context, k, h.head_dim, h.n_head_kv, n_cells * n_tiles);
    k = rotated(graph, layer, k, {.size = size, .lanes = region.key_lanes, .tokens = region.key_tokens});
    k = ggml_reshape_4d(context, k, h.head_dim, h.n_head_kv, n_cells, n_tiles);
    k = ggml_permute(context, k, 0, 2, 1, 3);  // [head_dim, n_cells, n_head_kv, n_tiles]
    ggml_tensor* product = ggml_mul_mat(context, k, q);
    scores = scores == nullptr ? product : ggml_concat(context, scores, product, 0);
  }

  const int64_t n_cells = tiles.shape.n_cells();
  scores = ggml_reshape_4d(context, scores, n_cells, n_rows, h.n_head, n_tiles);
  float scale = h.scale;
  if (h.score_cap > 0)
    scores = graph.soft_capped(scores, {.cap = h.score_cap, .scale = std::exchange(scale, 1)});
  ggml_tensor* p = ggml_soft_max_ext(context, scores, tiles.mask, scale, 0.0F);
  if (layer.attn_sinks != nullptr) ggml_soft_max_add_sinks(p, layer.attn_sinks);
  p = ggml_reshape_4d(context, p, n_cells, n_columns, h.n_head_kv, n_tiles);

  ggml_tensor* values = ggml_get_rows(context, with.values, tiles.cells);  // [kv_width, n_cells * n_tiles]
  values = ggml_reshape_4d(context, values, h.head_dim, h.n_head_kv, n_cells, n_tiles);
  // [n_cells, head_dim, n_head_kv, n_tiles]
  values = ggml_cont(context, ggml_permute(context, values, 1, 2, 0, 3));
  ggml_tensor* sum = ggml_mul_mat(context, values, p);  // [head_dim, n_columns, n_head_kv, n_tiles]
  sum = ggml_reshape_4d(context, sum, h.head_dim, n_rows, h.n_head, n_tiles);
  return ggml_cont_2d(context, ggml_permute(context, sum, 0, 2, 1, 3), h.query_width(), n_rows * n_tiles);
}

ggml_tensor* TileAttention::attend(GraphBuilder& graph, const LayerWeights& layer, const Operands& with) {
  const int32_t attention_class = graph.config(layer).attention_class;
  const PlanInputs& plan = inputs(graph, attention_class);
  ggml_tensor* rows = nullptr;  // [query_width, rows of all tiles so far]
  for (size_t size = 0; size < plan.sizes.size(); ++size) {
    ggml_tensor* part = attend_tiles(graph, layer, with, size);
    rows = rows == nullptr ? part : ggml_concat(graph.context(), rows, part, 1);
  }
  if (graph.batch().tensors[attention_class].shape.in_order) return rows;
  return ggml_get_rows(graph.context(), rows, plan.slots);
}

}  // namespace lanerope::model
