// SPDX-License-Identifier: Apache-2.0
#include "model/graph_operations.h"

#include <cmath>

#include "model/block_attention.h"

namespace lanerope::model {

namespace {

// Writes the batch's keys or values, [head_dim, n_head_kv, n_rows], into the pool and returns the pool as it
// is afterwards.
ggml_tensor* store(GraphBuilder& graph, ggml_tensor* pool, ggml_tensor* x) {
  if (!ggml_is_contiguous(x)) x = ggml_cont(graph.context(), x);
  return ggml_set_rows(graph.context(), pool,
                       ggml_reshape_2d(graph.context(), x, x->ne[0] * x->ne[1], x->ne[2]), graph.cells());
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

ggml_tensor* GraphOperations::rope(GraphBuilder& graph, const LayerWeights& layer, Normed heads) {
  ggml_tensor* x = heads.norm != nullptr ? graph.rms_norm(heads.x, heads.norm) : heads.x;
  return graph.rotate_by_theta(x, graph.config(layer).attention.rope);
}

ggml_tensor* GraphOperations::sum(GraphBuilder& graph, const LayerWeights&, const Sum& of) {
  ggml_tensor* y = of.x.norm != nullptr ? graph.rms_norm(of.x.x, of.x.norm) : of.x.x;
  if (of.scale != 1.0F) y = ggml_scale(graph.context(), y, of.scale);
  return of.residual != nullptr ? ggml_add(graph.context(), of.residual, y) : y;
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

ggml_tensor* GraphOperations::attention(GraphBuilder& graph, const LayerWeights& layer,
                                        const QueryKeyValue& qkv) {
  ggml_tensor* keys = store(graph, graph.pool().keys[layer.index], qkv.k);
  ggml_tensor* values = store(graph, graph.pool().values[layer.index], qkv.v);
  if (graph.batch().detail != AttentionDetail::none) record_blocks(graph, layer, {.q = qkv.q, .keys = keys});
  return attention_.attend(graph, layer, {.q = qkv.q, .keys = keys, .values = values});
}

// Every row meets every other one, under a mask.
ggml_tensor* GraphOperations::bridge(GraphBuilder& graph, const LayerWeights& layer, Normed x) {
  ggml_context* context = graph.context();
  const arch::BridgeConfig& config = graph.config().bridge;
  const int64_t n_rows = x.x->ne[1];
  const auto heads = [&](const Linear& linear) {  // [head_dim, n_head, n_rows]
    return graph.heads(graph.linear(linear, x), config.head_dim);
  };
  ggml_tensor* q = ggml_cont(context, ggml_permute(context, heads(layer.bridge_q), 0, 2, 1, 3));
  ggml_tensor* k = ggml_permute(context, heads(layer.bridge_k), 0, 2, 1, 3);  // [head_dim, n_rows, n_head]
  // [n_rows, head_dim, n_head]
  ggml_tensor* v = ggml_cont(context, ggml_permute(context, heads(layer.bridge_v), 1, 2, 0, 3));
  ggml_tensor* p = ggml_mul_mat(context, k, q);  // [n_rows, n_rows, n_head]
  const float scale = 1.0F / std::sqrt(static_cast<float>(config.head_dim));
  p = ggml_soft_max_ext(context, p, graph.bridge_mask(), scale, 0.0F);
  ggml_tensor* sum = ggml_mul_mat(context, v, p);  // [head_dim, n_rows, n_head]
  sum = ggml_cont_2d(context, ggml_permute(context, sum, 0, 2, 1, 3), config.width(), n_rows);
  return ggml_mul(context, sum, graph.bridge_gate());
}

ggml_tensor* GraphOperations::logits(GraphBuilder& graph, const Linear& output, Normed x) {
  return graph.soft_capped(linear(graph, output, x, nullptr),
                           {.cap = graph.config().logit_cap, .scale = graph.config().logit_scale});
}

}  // namespace lanerope::model
