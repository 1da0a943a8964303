// SPDX-License-Identifier: Apache-2.0
#include "model/graph_operations.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lanerope::model {

namespace {

const core::AttentionBlock& block_of(GraphBuilder& graph, const BlockOfLayer& where) {
  return graph.plan(where.layer).blocks[where.block];
}

bool segment_in_view(const core::AttentionBlock& block, size_t segment) {
  for (int32_t r = 0; r < block.n_rows; ++r) {
    if (!block.row(r)[segment].visible.empty()) return true;
  }
  return false;
}

// The block's queries as they meet one segment: rotated by phi. Rows without an offset stay as they are, to
// the bit.
struct Meeting {
  size_t segment = 0;
  int32_t layer = 0;
};
ggml_tensor* rotated_queries(GraphBuilder& graph, const core::AttentionBlock& block, ggml_tensor* q,
                             Meeting with) {
  const auto rotate_by = [&](ggml_tensor* x, int32_t core::Offset::* part,
                             std::span<const double> frequencies) {
    std::vector<int32_t> offsets(block.n_rows);
    for (int32_t r = 0; r < block.n_rows; ++r) offsets[r] = block.row(r)[with.segment].offset.*part;
    if (std::ranges::all_of(offsets, [](int32_t n) { return n == 0; })) return x;
    if (std::ranges::all_of(frequencies, [](double f) { return f == 0; })) return x;
    ggml_tensor* positions =
        graph.input(GGML_TYPE_I32, {block.n_rows, 1}, [offsets](const Batch&, ggml_tensor* t) {
          ggml_backend_tensor_set(t, offsets.data(), 0, offsets.size() * sizeof(int32_t));
        });
    return graph.rotate(x, positions, frequencies);
  };
  q = rotate_by(q, &core::Offset::lanes, block.frequencies->omega_of_layer(with.layer));
  return rotate_by(q, &core::Offset::tokens, block.frequencies->theta);
}

// nullptr where every row sees every cell of the segments in view.
ggml_tensor* visibility_mask(GraphBuilder& graph, const core::AttentionBlock& block,
                             const std::vector<int32_t>& segments) {
  bool everything = true;
  int64_t n_cells = 0;
  for (const int32_t segment : segments) {
    const int32_t length = block.segments[segment].length;
    n_cells += length;
    for (int32_t r = 0; r < block.n_rows; ++r) everything &= block.row(r)[segment].visible.size() == length;
  }
  if (everything) return nullptr;

  std::vector<float> mask(n_cells * block.n_rows, -std::numeric_limits<float>::infinity());
  for (int32_t r = 0; r < block.n_rows; ++r) {
    float* cell = mask.data() + n_cells * r;
    for (const int32_t segment : segments) {
      const core::CellRange visible = block.row(r)[segment].visible;
      if (!visible.empty()) std::fill(cell + visible.begin, cell + visible.end, 0.0F);
      cell += block.segments[segment].length;
    }
  }
  return graph.input(GGML_TYPE_F32, {n_cells, block.n_rows},
                     [mask = std::move(mask)](const Batch&, ggml_tensor* t) {
                       ggml_backend_tensor_set(t, mask.data(), 0, mask.size() * sizeof(float));
                     });
}

// The sum over the runs of all segments of p times their values: [head_dim, n_rows of the block, n_head].
ggml_tensor* weighted_values(GraphBuilder& graph, const core::AttentionBlock& block,
                             const BlockProbabilities& probabilities, ggml_tensor* values) {
  ggml_context* context = graph.context();
  const arch::AttentionConfig& h = graph.config().attention();
  ggml_tensor* p = probabilities.p;
  ggml_tensor* sum = nullptr;
  int64_t offset = 0;
  for (const int32_t index : probabilities.segments) {
    for (const core::CellRun& run : block.runs_of(block.segments[index])) {
      ggml_tensor* v = ggml_view_3d(context, values, run.length, h.head_dim, h.n_head_kv, values->nb[1],
                                    values->nb[1] * h.head_dim, run.cell * ggml_element_size(values));
      ggml_tensor* part = ggml_view_3d(context, p, run.length, p->ne[1], p->ne[2], p->nb[1], p->nb[2],
                                       offset * ggml_element_size(p));
      ggml_tensor* product = ggml_mul_mat(context, v, part);
      sum = sum == nullptr ? product : ggml_add(context, sum, product);
      offset += run.length;
    }
  }
  return sum;
}

// [segments in view, n_rows of the block, n_head]
ggml_tensor* segment_sums(ggml_context* context, const core::AttentionBlock& block,
                          const BlockProbabilities& probabilities) {
  ggml_tensor* p = probabilities.p;
  ggml_tensor* sums = nullptr;
  int64_t offset = 0;
  for (const int32_t index : probabilities.segments) {
    const int64_t length = block.segments[index].length;
    ggml_tensor* part = ggml_view_3d(context, p, length, p->ne[1], p->ne[2], p->nb[1], p->nb[2],
                                     offset * ggml_element_size(p));
    ggml_tensor* sum = ggml_sum_rows(context, ggml_cont(context, part));
    sums = sums == nullptr ? sum : ggml_concat(context, sums, sum, 0);
    offset += length;
  }
  return sums;
}

// Writes the batch's keys or values into the pool and returns the pool as it is afterwards.
ggml_tensor* store_keys(GraphBuilder& graph, ggml_tensor* pool, ggml_tensor* k) {
  return ggml_set_rows(graph.context(), pool,
                       ggml_reshape_2d(graph.context(), k, k->ne[0] * k->ne[1], k->ne[2]), graph.cells());
}

ggml_tensor* store_values_transposed(GraphBuilder& graph, ggml_tensor* pool, ggml_tensor* v,
                                     ggml_tensor* indices) {
  // Component c of cell x lies at c * n_cells + x: a scatter of single elements.
  ggml_context* context = graph.context();
  ggml_tensor* flat_pool = ggml_reshape_2d(context, pool, 1, ggml_nelements(pool));
  ggml_tensor* flat = ggml_reshape_2d(context, ggml_cont(context, v), 1, ggml_nelements(v));
  ggml_tensor* stored = ggml_set_rows(context, flat_pool, flat, indices);
  return ggml_reshape_2d(context, stored, pool->ne[0], pool->ne[1]);
}

// Neighbouring pairs first, so that long plans do not copy the first rows again and again.
ggml_tensor* join_rows(ggml_context* context, std::vector<ggml_tensor*> parts) {
  while (parts.size() > 1) {
    std::vector<ggml_tensor*> joined;
    for (size_t i = 0; i + 1 < parts.size(); i += 2)
      joined.push_back(ggml_concat(context, parts[i], parts[i + 1], 1));
    if (parts.size() % 2 == 1) joined.push_back(parts.back());
    parts = std::move(joined);
  }
  return parts.front();
}

}  // namespace

ggml_tensor* GraphOperations::linear(GraphBuilder& graph, const Linear& linear, Normed x,
                                     ggml_tensor* residual) {
  ggml_context* context = graph.context();
  ggml_tensor* columns = graph.normed(x);
  ggml_tensor* y = ggml_mul_mat(context, linear.weight, columns);
  if (linear.bias != nullptr) y = ggml_add(context, y, linear.bias);
  if (graph.has_lora(linear)) y = graph.add_lora(linear, columns, y);
  return residual != nullptr ? ggml_add(context, residual, y) : y;
}

QueryKeyValue GraphOperations::qkv(GraphBuilder& graph, const LayerWeights& layer, Normed x) {
  return {.q = graph.linear(layer.attn_q, x),
          .k = graph.linear(layer.attn_k, x),
          .v = graph.linear(layer.attn_v, x)};
}

ggml_tensor* GraphOperations::ffn(GraphBuilder& graph, const LayerWeights& layer, Normed x) {
  return graph.gated(graph.config(layer).ffn.activation, graph.linear(layer.ffn_gate, x),
                     graph.linear(layer.ffn_up, x));
}

ggml_tensor* GraphOperations::experts(GraphBuilder& graph, const LayerWeights& layer, Normed x) {
  ggml_context* context = graph.context();
  const arch::FfnConfig& config = graph.config(layer).ffn;
  ggml_tensor* columns = graph.normed(x);  // [n_embd, n_rows]
  const int64_t n_rows = columns->ne[1];
  ggml_tensor* scores = graph.linear(layer.ffn_gate_inp, {.x = columns});           // [n_expert, n_rows]
  ggml_tensor* chosen = ggml_argsort_top_k(context, scores, config.n_expert_used);  // [n_used, n_rows]
  ggml_tensor* shares = ggml_get_rows(context, ggml_reshape_3d(context, scores, 1, config.n_expert, n_rows),
                                      chosen);  // [1, n_used, n_rows]
  shares = ggml_soft_max(context, ggml_reshape_2d(context, shares, config.n_expert_used, n_rows));

  const auto of_experts = [&](const Linear& linear, ggml_tensor* inputs) {  // [n_out, n_used, n_rows]
    ggml_tensor* y = ggml_mul_mat_id(context, linear.weight, inputs, chosen);
    return linear.bias != nullptr ? ggml_add_id(context, y, linear.bias, chosen) : y;
  };
  ggml_tensor* inputs = ggml_reshape_3d(context, columns, columns->ne[0], 1, n_rows);
  ggml_tensor* h = graph.gated(config.activation, of_experts(layer.ffn_gate, inputs),
                               of_experts(layer.ffn_up, inputs));  // [n_ffn, n_used, n_rows]
  ggml_tensor* y = ggml_mul(context, of_experts(layer.ffn_down, h),
                            ggml_reshape_3d(context, shares, 1, config.n_expert_used, n_rows));
  ggml_tensor* sum = nullptr;  // [n_embd, n_rows]
  for (int64_t i = 0; i < config.n_expert_used; ++i) {
    ggml_tensor* part = ggml_view_2d(context, y, y->ne[0], n_rows, y->nb[2], i * y->nb[1]);
    sum = sum == nullptr ? part : ggml_add(context, sum, part);
  }
  return ggml_cont(context, sum);
}

BlockProbabilities block_probabilities(GraphBuilder& graph, BlockOfLayer where, ggml_tensor* q,
                                       ggml_tensor* keys) {
  ggml_context* context = graph.context();
  const arch::AttentionConfig& h = graph.config().attention();
  const core::AttentionBlock& block = block_of(graph, where);
  ggml_tensor* rows = ggml_view_3d(context, q, q->ne[0], q->ne[1], block.n_rows, q->nb[1], q->nb[2],
                                   q->nb[2] * block.first_row);
  BlockProbabilities result;
  ggml_tensor* scores = nullptr;  // [cells so far, n_rows of the block, n_head]
  for (size_t s = 0; s < block.segments.size(); ++s) {
    if (!segment_in_view(block, s)) continue;
    result.segments.push_back(static_cast<int32_t>(s));
    ggml_tensor* rotated = rotated_queries(graph, block, rows, {.segment = s, .layer = where.layer.index});
    rotated = ggml_permute(context, rotated, 0, 2, 1, 3);
    for (const core::CellRun& run : block.runs_of(block.segments[s])) {
      ggml_tensor* k =
          ggml_view_3d(context, keys, h.head_dim, h.n_head_kv, run.length,
                       ggml_row_size(keys->type, h.head_dim), keys->nb[1], keys->nb[1] * run.cell);
      ggml_tensor* product = ggml_mul_mat(context, ggml_permute(context, k, 0, 2, 1, 3), rotated);
      scores = scores == nullptr ? product : ggml_concat(context, scores, product, 0);
    }
  }
  float scale = h.scale;
  if (h.score_cap > 0) {
    scores = graph.soft_capped(scores, {.cap = h.score_cap, .scale = scale});
    scale = 1;
  }
  result.p = ggml_soft_max_ext(context, scores, visibility_mask(graph, block, result.segments), scale, 0.0F);
  if (where.layer.attn_sinks != nullptr) ggml_soft_max_add_sinks(result.p, where.layer.attn_sinks);
  return result;
}

void record_block(GraphBuilder& graph, BlockOfLayer where, const BlockProbabilities& probabilities) {
  const core::AttentionBlock& block = block_of(graph, where);
  ggml_tensor* recorded = graph.batch().detail == AttentionDetail::weights
                              ? ggml_cont(graph.context(), probabilities.p)
                              : segment_sums(graph.context(), block, probabilities);
  graph.add_mass({.layer = where.layer.index,
                  .block = where.block,
                  .segments = probabilities.segments,
                  .mass = recorded});
}

ggml_tensor* GraphOperations::attention(GraphBuilder& graph, const LayerWeights& layer,
                                        const QueryKeyValue& qkv) {
  ggml_context* context = graph.context();
  const int64_t width = graph.config(layer).attention.kv_width();
  ggml_tensor* keys = store_keys(graph, graph.pool().keys[layer.index], qkv.k);
  if (layer.index == 0) {
    const int64_t n_cells = graph.pool().n_cells;
    value_cells_ =
        graph.input(GGML_TYPE_I64, {width * graph.batch().n_rows(), 1},
                    [width, n_cells](const Batch& batch, ggml_tensor* t) {
                      std::vector<int64_t> indices;
                      indices.reserve(width * batch.cells.size());
                      for (const int64_t cell : batch.cells) {
                        for (int64_t c = 0; c < width; ++c) indices.push_back(c * n_cells + cell);
                      }
                      ggml_backend_tensor_set(t, indices.data(), 0, indices.size() * sizeof(int64_t));
                    });
  }
  ggml_tensor* values = store_values_transposed(graph, graph.pool().values[layer.index], qkv.v, value_cells_);

  std::vector<ggml_tensor*> outputs;
  for (int32_t b = 0; b < static_cast<int32_t>(graph.plan(layer).blocks.size()); ++b) {
    const BlockOfLayer where{.block = b, .layer = layer};
    const core::AttentionBlock& block = block_of(graph, where);
    const BlockProbabilities probabilities = block_probabilities(graph, where, qkv.q, keys);
    if (graph.batch().detail != AttentionDetail::none) record_block(graph, where, probabilities);
    ggml_tensor* sum = weighted_values(graph, block, probabilities, values);
    outputs.push_back(ggml_cont_2d(context, ggml_permute(context, sum, 0, 2, 1, 3),
                                   static_cast<int64_t>(graph.config(layer).attention.query_width()),
                                   block.n_rows));
  }
  return join_rows(context, std::move(outputs));
}

}  // namespace lanerope::model
