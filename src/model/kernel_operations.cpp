// SPDX-License-Identifier: Apache-2.0
#include "model/kernel_operations.h"

#include <cmath>

#include "model/ggml_operations.h"

namespace lanerope {

namespace {

// The bias of a linear, which lies in host memory on the CPU.
void append_bias(std::vector<float>& bias, const Linear& linear) {
  const auto* data = linear.bias != nullptr ? static_cast<const float*>(linear.bias->data) : nullptr;
  for (int64_t i = 0; i < linear.n_out(); ++i) bias.push_back(data != nullptr ? data[i] : 0.0F);
}

// Rows [first, first + n) of a joined product: [n, n_columns], not contiguous.
struct RowRange {
  int64_t first = 0;
  int64_t n = 0;
};
ggml_tensor* rows_of(ggml_context* context, ggml_tensor* y, RowRange range) {
  return ggml_view_2d(context, y, range.n, y->ne[1], y->nb[1], range.first * sizeof(float));
}

}  // namespace

std::optional<std::string> KernelOperations::obstacle(const Hyperparameters& h) {
  if (h.head_dim % 8 != 0) return "its heads are of " + std::to_string(h.head_dim) + ", no multiple of 8";
  return std::nullopt;
}

KernelOperations::KernelOperations(const Hyperparameters& h, const Weights& weights)
    : work_({.n_head = h.n_head,
             .n_head_kv = h.n_head_kv,
             .head_dim = h.head_dim,
             .n_rot = h.rope.dimensions,
             .pairs = h.rope.pairs,
             .scale = 1.0F / std::sqrt(static_cast<float>(h.head_dim))},
            h.n_layer),
      attentions_(h.n_layer) {
  const auto add_single = [&](const Linear& linear) {
    if (linear.packed == nullptr) return;
    std::vector<float> bias;
    if (linear.bias != nullptr) append_bias(bias, linear);
    add_product(linear.packed, std::move(bias));
  };
  for (const LayerWeights& layer : weights.layers) {
    attentions_[layer.index] = {.work = &work_, .layer = layer.index};
    for (const Linear* linear : {&layer.query, &layer.key, &layer.value, &layer.attention_output, &layer.ffn_gate,
                                 &layer.ffn_up, &layer.ffn_down}) {
      add_single(*linear);
    }
    if (layer.packed_qkv != nullptr) {
      std::vector<float> bias;
      if (layer.query.bias != nullptr || layer.key.bias != nullptr || layer.value.bias != nullptr) {
        for (const Linear* linear : {&layer.query, &layer.key, &layer.value}) append_bias(bias, *linear);
      }
      add_product(layer.packed_qkv, std::move(bias));
    }
    if (layer.packed_gate_up != nullptr) {
      std::vector<float> bias;
      if (layer.ffn_gate.bias != nullptr || layer.ffn_up.bias != nullptr) {
        for (const Linear* linear : {&layer.ffn_gate, &layer.ffn_up}) append_bias(bias, *linear);
      }
      add_product(layer.packed_gate_up, std::move(bias));
    }
  }
  add_single(weights.output);
}

void KernelOperations::add_product(const PackedMatrix* matrix, std::vector<float> bias) {
  ProductParameters& parameters = parameters_.emplace_back(*matrix);
  if (!bias.empty()) parameters.bias = biases_.emplace_back(std::move(bias)).data();
  products_[matrix] = &parameters;
}

ggml_tensor* KernelOperations::run_product(GraphBuilder& graph, const PackedMatrix& matrix, ggml_tensor* x) {
  return lanerope::product(graph.context(), &parameters_of(matrix), x);
}

ggml_tensor* KernelOperations::product(GraphBuilder& graph, const Linear& linear, ggml_tensor* x) {
  if (linear.packed != nullptr) return run_product(graph, *linear.packed, x);
  ggml_tensor* y = ggml_mul_mat(graph.context(), linear.weight, x);
  return linear.bias != nullptr ? ggml_add(graph.context(), y, linear.bias) : y;
}

QueryKeyValue KernelOperations::query_key_value(GraphBuilder& graph, const LayerWeights& layer, ggml_tensor* x) {
  if (layer.packed_qkv == nullptr) {
    return {.q = graph.linear(layer.query, x), .k = graph.linear(layer.key, x), .v = graph.linear(layer.value, x)};
  }
  ggml_tensor* y = run_product(graph, *layer.packed_qkv, x);
  const int64_t n_q = layer.query.n_out();
  const int64_t n_k = layer.key.n_out();
  ggml_tensor* q = rows_of(graph.context(), y, {.first = 0, .n = n_q});
  ggml_tensor* k = rows_of(graph.context(), y, {.first = n_q, .n = n_k});
  ggml_tensor* v = rows_of(graph.context(), y, {.first = n_q + n_k, .n = n_k});
  return {.q = graph.correct(layer.query, x, q),
          .k = graph.correct(layer.key, x, k),
          .v = graph.correct(layer.value, x, v)};
}

ggml_tensor* KernelOperations::swiglu(GraphBuilder& graph, const LayerWeights& layer, ggml_tensor* x) {
  ggml_context* context = graph.context();
  if (layer.packed_gate_up == nullptr) {
    return ggml_swiglu_split(context, graph.linear(layer.ffn_gate, x), graph.linear(layer.ffn_up, x));
  }
  ggml_tensor* y = run_product(graph, *layer.packed_gate_up, x);
  const int64_t n = layer.ffn_gate.n_out();
  ggml_tensor* gate = graph.correct(layer.ffn_gate, x, rows_of(context, y, {.first = 0, .n = n}));
  ggml_tensor* up = graph.correct(layer.ffn_up, x, rows_of(context, y, {.first = n, .n = n}));
  return ggml_swiglu_split(context, gate, up);
}

ggml_tensor* KernelOperations::lane_attention(GraphBuilder& graph, const LayerWeights& layer,
                                              const QueryKeyValue& qkv) {
  ggml_context* context = graph.context();
  const auto flat = [&](ggml_tensor* x) {  // [head_dim * n_head_kv, n_rows]
    return ggml_view_2d(context, x, graph.h().kv_width(), x->ne[2], x->nb[2], 0);
  };
  ggml_tensor* keys = ggml_set_rows(context, graph.pool().keys[layer.index], flat(qkv.k), graph.cells());
  ggml_tensor* values = ggml_set_rows(context, graph.pool().values[layer.index], flat(qkv.v), graph.cells());
  if (graph.batch().record != AttentionDetail::none) {
    for (int32_t b = 0; b < static_cast<int32_t>(graph.batch().plan.blocks.size()); ++b) {
      const BlockOfLayer where{.block = b, .layer = layer.index};
      record_block(graph, where, block_probabilities(graph, where, qkv.q, keys));
    }
  }
  return lanerope::lane_attention(context, &attentions_[layer.index], qkv.q, keys, values);
}

void KernelOperations::prepare(const Batch& batch) { work_.prepare(batch.plan); }

}  // namespace lanerope
