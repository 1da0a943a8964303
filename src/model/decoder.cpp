// SPDX-License-Identifier: Apache-2.0
#include "model/decoder.h"

namespace lanerope::model {

namespace {

using arch::QkNorm;

// x + N(W h), where N is there, W's own norm stands before or nowhere.
ggml_tensor* add_to_residual(GraphBuilder& graph, ggml_tensor* x, const Linear& linear, ggml_tensor* h,
                             ggml_tensor* norm_after) {
  if (norm_after == nullptr) return graph.linear(linear, {.x = h}, x);
  return ggml_add(graph.context(), x, graph.rms_norm(graph.linear(linear, {.x = h}), norm_after));
}

// Queries and keys normed as the config says and rotated by theta * i, all as heads.
QueryKeyValue attention_inputs(GraphBuilder& graph, const LayerWeights& layer,
                               const arch::AttentionConfig& attention, ggml_tensor* x) {
  QueryKeyValue rows = graph.qkv(layer, {.x = x, .norm = layer.attn_norm});  // [n_out, n_rows] each
  if (attention.qk_norm == QkNorm::whole_row) {
    rows.q = graph.rms_norm(rows.q, layer.attn_q_norm);
    rows.k = graph.rms_norm(rows.k, layer.attn_k_norm);
  }
  QueryKeyValue heads{.q = graph.heads(rows.q, attention.head_dim),   // [head_dim, n_head, n_rows]
                      .k = graph.heads(rows.k, attention.head_dim),   // [head_dim, n_head_kv, n_rows]
                      .v = graph.heads(rows.v, attention.head_dim)};  // [head_dim, n_head_kv, n_rows]
  if (attention.qk_norm == QkNorm::per_head) {
    heads.q = graph.rms_norm(heads.q, layer.attn_q_norm);
    heads.k = graph.rms_norm(heads.k, layer.attn_k_norm);
  }
  heads.q = graph.rope(heads.q, attention.rope);
  heads.k = graph.rope(heads.k, attention.rope);
  return heads;
}

}  // namespace

ggml_tensor* build_decoder(GraphBuilder& graph, const arch::ModelConfig& config, const Weights& weights) {
  ggml_tensor* x = graph.embedding(weights.token_embd);  // [n_embd, n_rows]
  if (config.embedding_scale != 1.0F) x = ggml_scale(graph.context(), x, config.embedding_scale);

  for (const LayerWeights& layer : weights.layers) {
    const arch::LayerConfig& of = config.layers[layer.index];
    ggml_tensor* h =
        graph.attention(layer, attention_inputs(graph, layer, of.attention, x));  // [query_width, n_rows]
    if (layer.index + 1 == config.n_layer()) std::tie(h, x) = graph.keep_outputs(h, x);  // [.., n_outputs]
    x = add_to_residual(graph, x, layer.attn_output, h, layer.post_attention_norm);

    h = graph.ffn(layer, {.x = x, .norm = layer.ffn_norm});  // [n_ffn, n_rows]
    x = add_to_residual(graph, x, layer.ffn_down, h, layer.post_ffw_norm);
  }
  return graph.linear(weights.output, {.x = x, .norm = weights.output_norm});
}

}  // namespace lanerope::model
