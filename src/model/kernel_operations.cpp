// SPDX-License-Identifier: Apache-2.0
#include "model/kernel_operations.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "model/ggml_operations.h"

namespace lanerope::model {

namespace {

// The bias of a linear, which lies in host memory on the CPU.
void append_bias(std::vector<float>& bias, const Linear& linear) {
  const auto* data = linear.bias != nullptr ? static_cast<const float*>(linear.bias->data) : nullptr;
  for (int64_t i = 0; i < linear.n_out(); ++i) bias.push_back(data != nullptr ? data[i] : 0.0F);
}

// Every linear has a kernel, so that nothing heavy is left to ggml.
bool all_packed(const Weights& weights) {
  return weights.output.packed != nullptr &&
         std::ranges::all_of(weights.layers, [](const LayerWeights& layer) {
           const bool qkv = layer.packed_qkv != nullptr ||
                            (layer.attn_q.packed != nullptr && layer.attn_k.packed != nullptr &&
                             layer.attn_v.packed != nullptr);
           const bool gate_up = layer.packed_gate_up != nullptr ||
                                (layer.ffn_gate.packed != nullptr && layer.ffn_up.packed != nullptr);
           return qkv && gate_up && layer.attn_output.packed != nullptr && layer.ffn_down.packed != nullptr;
         });
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

KernelOperations::KernelOperations(const Hyperparameters& h, const Weights& weights, int32_t threads)
    : rms_epsilon_(h.rms_epsilon),
      work_({.n_head = h.n_head,
             .n_head_kv = h.n_head_kv,
             .head_dim = h.head_dim,
             .n_rot = h.rope.dimensions,
             .pairs = h.rope.pairs,
             .scale = 1.0F / std::sqrt(static_cast<float>(h.head_dim))},
            h.n_layer),
      attentions_(h.n_layer) {
  if (all_packed(weights)) pool_ = std::make_unique<kernels::ThreadPool>(threads);
  for (const LayerWeights& layer : weights.layers) {
    attentions_[layer.index] = {.work = &work_, .layer = layer.index, .pool = pool_.get()};
    for (const Linear* linear : {&layer.attn_q, &layer.attn_k, &layer.attn_v}) {
      add_product({.matrix = linear->packed, .linears = {linear}, .norm = layer.attn_norm});
    }
    for (const Linear* linear : {&layer.ffn_gate, &layer.ffn_up}) {
      add_product({.matrix = linear->packed, .linears = {linear}, .norm = layer.ffn_norm});
    }
    for (const Linear* linear : {&layer.attn_output, &layer.ffn_down}) {
      add_product({.matrix = linear->packed, .linears = {linear}});
    }
    add_product({.matrix = layer.packed_qkv,
                 .linears = {&layer.attn_q, &layer.attn_k, &layer.attn_v},
                 .norm = layer.attn_norm});
    for (const bool swiglu : {false, true}) {
      add_product({.matrix = layer.packed_gate_up,
                   .linears = {&layer.ffn_gate, &layer.ffn_up},
                   .norm = layer.ffn_norm,
                   .swiglu = swiglu});
    }
  }
  add_product({.matrix = weights.output.packed, .linears = {&weights.output}, .norm = weights.output_norm});
}

void KernelOperations::add_product(const Product& product) {
  if (product.matrix == nullptr) return;
  kernels::ProductParameters& parameters = parameters_.emplace_back(*product.matrix);
  parameters.swiglu = product.swiglu;
  parameters.activations.pool = pool_.get();
  if (product.norm != nullptr) {
    parameters.activations.norm_weight = static_cast<const float*>(product.norm->data);
    parameters.activations.norm_epsilon = rms_epsilon_;
  }
  if (std::ranges::any_of(product.linears, [](const Linear* linear) { return linear->bias != nullptr; })) {
    std::vector<float>& bias = biases_.emplace_back();
    for (const Linear* linear : product.linears) append_bias(bias, *linear);
    parameters.bias = bias.data();
  }
  (product.swiglu ? swiglus_ : products_)[product.matrix] = &parameters;
}

// A product whose columns are normalised on the way takes what the norm takes. The norm itself is computed
// only if an adapter's LoRA term needs it.
ggml_tensor* KernelOperations::run(GraphBuilder& graph, const kernels::ProductParameters& parameters,
                                   ggml_tensor* x, ggml_tensor* residual) const {
  if (parameters.activations.norm_weight != nullptr) {
    assert(x->op == GGML_OP_MUL && x->src[0]->op == GGML_OP_RMS_NORM);
    assert(x->src[1]->data == parameters.activations.norm_weight);
    x = x->src[0]->src[0];
  }
  return kernels::product(graph.context(), &parameters, x, residual);
}

ggml_tensor* KernelOperations::joined(GraphBuilder& graph, const kernels::PackedMatrix& matrix,
                                      ggml_tensor* x) const {
  return run(graph, *products_.at(&matrix), x);
}

ggml_tensor* KernelOperations::product(GraphBuilder& graph, const Linear& linear, ggml_tensor* x,
                                       ggml_tensor* residual) {
  if (linear.packed == nullptr) return plain_product(graph, linear, x, residual);
  return run(graph, *products_.at(linear.packed), x, residual);
}

QueryKeyValue KernelOperations::query_key_value(GraphBuilder& graph, const LayerWeights& layer,
                                                ggml_tensor* x) {
  if (layer.packed_qkv == nullptr) {
    return {.q = graph.linear(layer.attn_q, x),
            .k = graph.linear(layer.attn_k, x),
            .v = graph.linear(layer.attn_v, x)};
  }
  ggml_tensor* y = joined(graph, *layer.packed_qkv, x);
  const int64_t n_q = layer.attn_q.n_out();
  const int64_t n_k = layer.attn_k.n_out();
  ggml_tensor* q = rows_of(graph.context(), y, {.first = 0, .n = n_q});
  ggml_tensor* k = rows_of(graph.context(), y, {.first = n_q, .n = n_k});
  ggml_tensor* v = rows_of(graph.context(), y, {.first = n_q + n_k, .n = n_k});
  return {.q = graph.add_lora(layer.attn_q, x, q),
          .k = graph.add_lora(layer.attn_k, x, k),
          .v = graph.add_lora(layer.attn_v, x, v)};
}

ggml_tensor* KernelOperations::swiglu(GraphBuilder& graph, const LayerWeights& layer, ggml_tensor* x) {
  ggml_context* context = graph.context();
  if (layer.packed_gate_up == nullptr) {
    return ggml_swiglu_split(context, graph.linear(layer.ffn_gate, x), graph.linear(layer.ffn_up, x));
  }
  if (!graph.has_lora(layer.ffn_gate) && !graph.has_lora(layer.ffn_up)) {
    return run(graph, *swiglus_.at(layer.packed_gate_up), x);
  }
  ggml_tensor* y = joined(graph, *layer.packed_gate_up, x);
  const int64_t n = layer.ffn_gate.n_out();
  ggml_tensor* gate = graph.add_lora(layer.ffn_gate, x, rows_of(context, y, {.first = 0, .n = n}));
  ggml_tensor* up = graph.add_lora(layer.ffn_up, x, rows_of(context, y, {.first = n, .n = n}));
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
  return kernels::lane_attention(context, &attentions_[layer.index], qkv.q, keys, values);
}

void KernelOperations::prepare(const Batch& batch) {
  work_.prepare(batch.plan);
}

}  // namespace lanerope::model
