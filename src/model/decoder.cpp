// SPDX-License-Identifier: Apache-2.0
#include "model/decoder.h"

namespace lanerope::model {

namespace {

using arch::QkNorm;

// What a layer adds to its block's input: scale * N(W h), N and W only where they are there.
struct Addition {
  const Linear* linear;
  ggml_tensor* h;               // [n_in, n_rows]
  ggml_tensor* norm = nullptr;  // [n_embd] or null
  float scale = 1.0F;
};

ggml_tensor* add_to_residual(GraphBuilder& graph, const LayerWeights& layer, ggml_tensor* x,
                             const Addition& add) {
  const bool plain = add.norm == nullptr && add.scale == 1.0F;
  if (plain && add.linear != nullptr) return graph.linear(*add.linear, {.x = add.h}, x);
  ggml_tensor* y = add.linear != nullptr ? graph.linear(*add.linear, {.x = add.h}) : add.h;
  return graph.sum(layer, {.x = {.x = y, .norm = add.norm}, .scale = add.scale, .residual = x});
}

// Queries and keys normed as the config says and rotated by theta * i, all as heads.
QueryKeyValue attention_inputs(GraphBuilder& graph, const LayerWeights& layer,
                               const arch::AttentionConfig& attention, ggml_tensor* x) {
  QueryKeyValue rows = graph.qkv(layer, {.x = x, .norm = layer.attn_norm});  // [n_out, n_rows] each
  if (attention.qk_norm == QkNorm::whole_row) {
    rows.q = graph.sum(layer, {.x = {.x = rows.q, .norm = layer.attn_q_norm}});
    rows.k = graph.sum(layer, {.x = {.x = rows.k, .norm = layer.attn_k_norm}});
  }
  const bool per_head = attention.qk_norm == QkNorm::per_head;
  const Normed q{.x = graph.heads(rows.q, attention.head_dim),  // [head_dim, n_head, n_rows]
                 .norm = per_head ? layer.attn_q_norm : nullptr};
  const Normed k{.x = graph.heads(rows.k, attention.head_dim),  // [head_dim, n_head_kv, n_rows]
                 .norm = per_head ? layer.attn_k_norm : nullptr};
  return {.q = graph.tempered(graph.rope(layer, q)),
          .k = graph.rope(layer, k),
          .v = graph.heads(rows.v, attention.head_dim)};  // [head_dim, n_head_kv, n_rows]
}

}  // namespace

ggml_tensor* build_decoder(GraphBuilder& graph, const arch::ModelConfig& config, const Weights& weights) {
  ggml_tensor* x = graph.embedding(weights.token_embd);  // [n_embd, n_rows]
  if (config.embedding_scale != 1.0F) x = ggml_scale(graph.context(), x, config.embedding_scale);

  for (const LayerWeights& layer : weights.layers) {
    const arch::LayerConfig& of = config.layers[layer.index];
    ggml_tensor* h =
        graph.attention(layer, attention_inputs(graph, layer, of.attention, x));  // [query_width, n_rows]
    // All rows are exchanged, whoever wants their logits.
    const bool bridged = graph.bridges(layer);
    const bool last = layer.index + 1 == config.n_layer();
    if (last && !bridged) {
      h = graph.keep_outputs(h);  // [query_width, n_outputs]
      x = graph.keep_outputs(x);  // [n_embd, n_outputs]
    }
    x = add_to_residual(graph, layer, x,
                        {.linear = &layer.attn_output,
                         .h = h,
                         .norm = layer.post_attention_norm,
                         .scale = config.residual_scale});

    const Normed inputs{.x = x, .norm = layer.ffn_norm};
    const bool experts = of.ffn.has_experts();
    h = experts ? graph.experts(layer, inputs) : graph.ffn(layer, inputs);  // [n_embd or n_ffn, n_rows]
    x = add_to_residual(graph, layer, x,
                        {.linear = experts ? nullptr : &layer.ffn_down,
                         .h = h,
                         .norm = layer.post_ffw_norm,
                         .scale = config.residual_scale});
    if (bridged) {
      h = graph.bridge(layer, {.x = x, .norm = layer.bridge_norm});  // [bridge width, n_rows]
      x = graph.linear(layer.bridge_output, {.x = h}, x);
      if (last) x = graph.keep_outputs(x);  // [n_embd, n_outputs]
    }
  }
  return graph.logits(weights.output, {.x = x, .norm = weights.output_norm});
}

}  // namespace lanerope::model
