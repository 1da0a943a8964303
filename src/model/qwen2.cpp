// SPDX-License-Identifier: Apache-2.0
#include "model/architecture.h"
#include "model/graph_builder.h"
#include "model/weights.h"

namespace lanerope::model {

namespace {

// Qwen2 (and DeepSeek-R1-Distill-Qwen): as llama, with half-split rotary pairs and biases on q, k and v.
ggml_tensor* build(GraphBuilder& graph, const Weights& weights) {
  ggml_tensor* x = graph.embedding(weights.token_embd);  // [width, n_rows]

  for (const LayerWeights& layer : weights.layers) {
    ggml_tensor* h = graph.rms_norm(x, layer.attn_norm);
    auto [q, k, v] = graph.query_key_value(layer, h);  // [head_dim, n_head or n_head_kv, n_rows]
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

const Architecture qwen2_architecture{
    .name = "qwen2",
    .pairs = core::RopePairs::halves,
    .qkv_bias = true,
    .build = build,
};

}  // namespace lanerope::model
