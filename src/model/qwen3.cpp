// SPDX-License-Identifier: Apache-2.0
#include "model/architecture.h"
#include "model/graph_builder.h"
#include "model/weights.h"

namespace lanerope::model {

namespace {

// Qwen3, dense: no biases, and every query and key head is normalised before RoPE.
ggml_tensor* build(GraphBuilder& graph, const Weights& weights) {
  ggml_tensor* x = graph.embedding(weights.token_embd);  // [width, n_rows]

  for (const LayerWeights& layer : weights.layers) {
    ggml_tensor* h = graph.rms_norm(x, layer.attn_norm);
    auto [q, k, v] = graph.query_key_value(layer, h);  // [head_dim, n_head or n_head_kv, n_rows]
    q = graph.rms_norm(q, layer.attn_q_norm);
    k = graph.rms_norm(k, layer.attn_k_norm);
    q = graph.rope(q);
    k = graph.rope(k);
    h = graph.lane_attention(layer, {.q = q, .k = k, .v = v});  // [head_dim * n_head, n_rows]
    if (&layer == &weights.layers.back()) std::tie(h, x) = graph.keep_outputs(h, x);  // [.., n_outputs]
    x = graph.add_linear(x, layer.attn_output, h);

    h = graph.rms_norm(x, layer.ffn_norm);
    h = graph.swiglu(layer, h);  // [n_ffn, n_rows]
    x = graph.add_linear(x, layer.ffn_down, h);
  }

  x = graph.rms_norm(x, weights.output_norm);
  return graph.linear(weights.output, x);
}

}  // namespace

const Architecture qwen3_architecture{
    .name = "qwen3",
    .pairs = core::RopePairs::halves,
    .qk_norm = true,
    .build = build,
};

}  // namespace lanerope::model
