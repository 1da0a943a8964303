// SPDX-License-Identifier: Apache-2.0
#include "model/cpu_operations.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <string_view>

#include "model/block_attention.h"

namespace lanerope::model {

namespace {

// The bias of a linear, or of one expert's.
void append_bias(std::vector<float>& bias, const Weights& weights, const Linear& linear, int64_t expert) {
  const float* data = weights.values(linear.bias);
  for (int64_t i = 0; i < linear.n_out(); ++i)
    bias.push_back(data != nullptr ? data[expert * linear.n_out() + i] : 0.0F);
}

// Rows [first, first + n) of a joined product: [n, n_columns], not contiguous.
struct JoinedRows {
  int64_t first = 0;
  int64_t n = 0;
};
ggml_tensor* rows_of(ggml_context* context, ggml_tensor* y, JoinedRows rows) {
  return ggml_view_2d(context, y, rows.n, y->ne[1], y->nb[1], rows.first * sizeof(float));
}

// "ffn_down" of "blk.3.ffn_down.weight", and "attn_q, attn_k, attn_v" of three.
std::string name_of(std::span<const Linear* const> linears) {
  std::string name;
  for (const Linear* linear : linears) {
    std::string_view part = linear->name;
    if (part.starts_with("blk.")) part.remove_prefix(part.find('.', 4) + 1);
    part = part.substr(0, part.find('.'));
    name += (name.empty() ? "" : ", ") + std::string(part);
  }
  return name;
}

kernels::Gating gating_of(arch::Activation activation) {
  switch (activation) {
    case arch::Activation::silu:
      return kernels::Gating::silu;
    case arch::Activation::gelu:
      return kernels::Gating::gelu;
    case arch::Activation::clamped_silu:
      return kernels::Gating::clamped_silu;
  }
  return kernels::Gating::silu;
}

}  // namespace

std::optional<std::string> CpuOperations::obstacle(const arch::ModelConfig& config) {
  const int32_t head_dim = config.attention().head_dim;
  if (head_dim % 8 != 0) return "its heads are of " + std::to_string(head_dim) + ", no multiple of 8";
  return std::nullopt;
}

CpuOperations::CpuOperations(const arch::ModelConfig& config, const Weights& weights, int32_t threads)
    : weights_(weights),
      rms_epsilon_(config.rms_epsilon),
      pool_(threads),
      attentions_(config.n_layer()),
      ropes_(config.n_layer()) {
  if (config.ffn().has_experts()) {
    expert_work_.emplace(config.ffn().n_expert, config.ffn().n_expert_used);
    experts_.resize(config.n_layer());
  }
  // The kernels do all the heavy work on their own threads, and one thread of ggml's walks the graph.
  traits_ = {.graph_threads = 1};
  const arch::AttentionConfig& attention = config.attention();
  for (const arch::AttentionClass& of : config.attention_classes) {
    schedules_.emplace_back(kernels::AttentionShape{.n_head = attention.n_head,
                                                    .n_head_kv = attention.n_head_kv,
                                                    .head_dim = attention.head_dim,
                                                    .n_rot = config.ropes[of.rope].dimensions,
                                                    .pairs = config.ropes[of.rope].pairs,
                                                    .scale = attention.scale,
                                                    .cap = attention.score_cap},
                            config.n_layer(), pool_.n_threads());
  }
  for (int32_t rope = 0; rope < std::ssize(config.ropes); ++rope)
    rope_tables_.emplace_back(rope_angles(config, rope));
  for (const LayerWeights& layer : weights.layers) {
    add_ropes(layer, config);
    add_sums(layer, config);
  }
  logit_cap_ = {.cap = config.logit_cap, .scale = config.logit_scale, .pool = &pool_};
  bridge_ = {.sets = &bridge_sets_,
             .n_head = config.bridge.n_head,
             .head_dim = config.bridge.head_dim,
             .pool = &pool_};
  for (const LayerWeights& layer : weights.layers) add_layer(layer, config.layers[layer.index]);
  add_product({.matrix = weights.output.packed, .linears = {&weights.output}, .norm = weights.output_norm});
}

void CpuOperations::add_layer(const LayerWeights& layer, const arch::LayerConfig& config) {
  const auto add = [this](const Product& product) { add_product(product); };
  attentions_[layer.index] = {.work = &schedules_[config.attention_class],
                              .layer = layer.index,
                              .sinks = weights_.values(layer.attn_sinks),
                              .pool = &pool_};
  for (const Linear* linear : {&layer.attn_q, &layer.attn_k, &layer.attn_v}) {
    add({.matrix = linear->packed, .linears = {linear}, .norm = layer.attn_norm});
  }
  for (const Linear* linear : {&layer.ffn_gate_inp, &layer.ffn_gate, &layer.ffn_up}) {
    add({.matrix = linear->packed, .linears = {linear}, .norm = layer.ffn_norm});
  }
  for (const Linear* linear : {&layer.attn_output, &layer.ffn_down}) {
    add({.matrix = linear->packed, .linears = {linear}});
  }
  add({.matrix = layer.packed_qkv,
       .linears = {&layer.attn_q, &layer.attn_k, &layer.attn_v},
       .norm = layer.attn_norm});
  add({.matrix = layer.packed_gate_up,
       .linears = {&layer.ffn_gate, &layer.ffn_up},
       .norm = layer.ffn_norm,
       .gating = gating_of(config.ffn.activation)});
  for (const Linear* linear : {&layer.bridge_q, &layer.bridge_k, &layer.bridge_v})
    add({.matrix = linear->packed, .linears = {linear}, .norm = layer.bridge_norm});
  add({.matrix = layer.packed_bridge_qkv,
       .linears = {&layer.bridge_q, &layer.bridge_k, &layer.bridge_v},
       .norm = layer.bridge_norm});
  add({.matrix = layer.bridge_output.packed, .linears = {&layer.bridge_output}});
  if (!config.ffn.has_experts() || layer.packed_gate_up == nullptr) return;
  experts_[layer.index] = {.gate_up = gated_.at(layer.packed_gate_up),
                           .down = products_.at(layer.ffn_down.packed),
                           .work = &*expert_work_,
                           .pool = &pool_};
}

void CpuOperations::add_ropes(const LayerWeights& layer, const arch::ModelConfig& config) {
  const arch::AttentionConfig& attention = config.layers[layer.index].attention;
  const bool rotates = config.ropes[attention.rope].rotates;
  const auto of = [&](const ggml_tensor* norm) {
    return kernels::RopeOperation{
        .table = rotates ? &rope_tables_[attention.rope] : nullptr,
        .norm_weight = attention.qk_norm == arch::QkNorm::per_head ? weights_.values(norm) : nullptr,
        .norm_epsilon = rms_epsilon_,
        .pool = &pool_};
  };
  ropes_[layer.index] = {.queries = of(layer.attn_q_norm), .keys = of(layer.attn_k_norm)};
}

void CpuOperations::add_sums(const LayerWeights& layer, const arch::ModelConfig& config) {
  const auto add = [&](const ggml_tensor* norm, float scale) {
    sums_[norm] = {
        .norm_weight = weights_.values(norm), .norm_epsilon = rms_epsilon_, .scale = scale, .pool = &pool_};
  };
  if (config.layers[layer.index].attention.qk_norm == arch::QkNorm::whole_row) {
    add(layer.attn_q_norm, 1.0F);
    add(layer.attn_k_norm, 1.0F);
  }
  add(layer.post_attention_norm, config.residual_scale);
  add(layer.post_ffw_norm, config.residual_scale);
}

void CpuOperations::add_product(const Product& product) {
  if (product.matrix == nullptr) return;
  kernels::ProductParameters& parameters = parameters_.emplace_back(*product.matrix);
  parameters.gating = product.gating;
  parameters.name = name_of(product.linears);
  parameters.activations.pool = &pool_;
  const auto low_rank = weights_.low_rank.find(product.matrix);
  if (low_rank != weights_.low_rank.end()) parameters.activations.low_rank = &low_rank->second;
  if (product.norm != nullptr) {
    parameters.activations.norm_weight = weights_.values(product.norm);
    parameters.activations.norm_epsilon = rms_epsilon_;
  }
  if (std::ranges::any_of(product.linears, [](const Linear* linear) { return linear->bias != nullptr; })) {
    std::vector<float>& bias = biases_.emplace_back();
    for (int64_t expert = 0; expert < product.linears.front()->source->ne[2]; ++expert) {
      for (const Linear* linear : product.linears) append_bias(bias, weights_, *linear, expert);
    }
    parameters.bias = bias.data();
  }
  (product.gating != kernels::Gating::none ? gated_ : products_)[product.matrix] = &parameters;
}

// The norm is computed on the way, in the product's preparation of its columns.
ggml_tensor* CpuOperations::run(GraphBuilder& graph, const kernels::ProductParameters& parameters, Normed x,
                                ggml_tensor* residual) const {
  assert(parameters.activations.norm_weight == weights_.values(x.norm));
  const kernels::LowRank* low_rank = parameters.activations.low_rank;
  const auto on = [&](const kernels::LowRank::Term& term) {
    return !graph.batch().adapter_scales[term.adapter].empty();
  };
  const bool corrected = low_rank != nullptr && std::ranges::any_of(low_rank->terms(), on);
  return kernels::product(
      graph.context(), &parameters,
      {.x = x.x, .residual = residual, .scales = corrected ? graph.all_adapter_scales() : nullptr});
}

ggml_tensor* CpuOperations::linear(GraphBuilder& graph, const Linear& linear, Normed x,
                                   ggml_tensor* residual) {
  return run(graph, *products_.at(linear.packed), x, residual);
}

QueryKeyValue CpuOperations::three(GraphBuilder& graph, const Three& linears, Normed x) const {
  if (linears.packed == nullptr) {
    return {
        .q = graph.linear(linears.q, x), .k = graph.linear(linears.k, x), .v = graph.linear(linears.v, x)};
  }
  ggml_tensor* y = run(graph, *products_.at(linears.packed), x);
  int64_t first = 0;
  const auto rows = [&](const Linear& linear) {
    ggml_tensor* part = rows_of(graph.context(), y, {.first = first, .n = linear.n_out()});
    first += linear.n_out();
    return part;
  };
  ggml_tensor* q = rows(linears.q);
  ggml_tensor* k = rows(linears.k);
  ggml_tensor* v = rows(linears.v);
  return {.q = q, .k = k, .v = v};
}

QueryKeyValue CpuOperations::qkv(GraphBuilder& graph, const LayerWeights& layer, Normed x) {
  return three(graph, {.packed = layer.packed_qkv, .q = layer.attn_q, .k = layer.attn_k, .v = layer.attn_v},
               x);
}

ggml_tensor* CpuOperations::rope(GraphBuilder& graph, const LayerWeights& layer, Normed heads) {
  const HeadRopes& ropes = ropes_[layer.index];
  const kernels::RopeOperation& of = heads.norm == layer.attn_k_norm ? ropes.keys : ropes.queries;
  assert((of.norm_weight != nullptr) == (heads.norm != nullptr));
  if (of.table == nullptr && of.norm_weight == nullptr) return heads.x;
  return kernels::rope(graph.context(), &of, heads.x);
}

ggml_tensor* CpuOperations::sum(GraphBuilder& graph, const LayerWeights&, const Sum& of) {
  const kernels::NormedSum& sum = sums_.at(of.x.norm);
  assert(sum.scale == of.scale);
  return kernels::normed_sum(graph.context(), &sum, of.x.x, of.residual);
}

ggml_tensor* CpuOperations::ffn(GraphBuilder& graph, const LayerWeights& layer, Normed x) {
  const arch::Activation activation = graph.config(layer).ffn.activation;
  if (layer.packed_gate_up == nullptr) {
    return graph.gated(activation, graph.linear(layer.ffn_gate, x), graph.linear(layer.ffn_up, x));
  }
  return run(graph, *gated_.at(layer.packed_gate_up), x);
}

ggml_tensor* CpuOperations::experts(GraphBuilder& graph, const LayerWeights& layer, Normed x) {
  ggml_tensor* scores = graph.linear(layer.ffn_gate_inp, x);  // [n_expert, n_rows]
  return kernels::expert_ffn(graph.context(), &experts_[layer.index], x.x, scores);
}

ggml_tensor* CpuOperations::attention(GraphBuilder& graph, const LayerWeights& layer,
                                      const QueryKeyValue& qkv) {
  ggml_context* context = graph.context();
  const auto flat = [&](ggml_tensor* x) {  // [kv_width, n_rows]
    return ggml_view_2d(context, x, x->ne[0] * x->ne[1], x->ne[2], x->nb[2], 0);
  };
  ggml_tensor* keys = ggml_set_rows(context, graph.pool().keys[layer.index], flat(qkv.k), graph.cells());
  ggml_tensor* values = ggml_set_rows(context, graph.pool().values[layer.index], flat(qkv.v), graph.cells());
  if (graph.batch().detail != AttentionDetail::none) record_blocks(graph, layer, {.q = qkv.q, .keys = keys});
  return kernels::lane_attention(context, &attentions_[layer.index], qkv.q, keys, values);
}

ggml_tensor* CpuOperations::bridge(GraphBuilder& graph, const LayerWeights& layer, Normed x) {
  const QueryKeyValue rows = three(  // [bridge width, n_rows] each
      graph,
      {.packed = layer.packed_bridge_qkv, .q = layer.bridge_q, .k = layer.bridge_k, .v = layer.bridge_v}, x);
  return kernels::bridge_attention(graph.context(), &bridge_, {.q = rows.q, .k = rows.k, .v = rows.v});
}

ggml_tensor* CpuOperations::logits(GraphBuilder& graph, const Linear& output, Normed x) {
  ggml_tensor* y = linear(graph, output, x, nullptr);
  const bool plain = logit_cap_.cap == 0 && logit_cap_.scale == 1.0F;
  return plain ? y : kernels::soft_cap(graph.context(), &logit_cap_, y);
}

void CpuOperations::prepare(const Batch& batch) {
  bridge_sets_.prepare(batch.bridges);
  for (kernels::RopeTable& table : rope_tables_) table.prepare(batch.positions);
  for (size_t c = 0; c < schedules_.size(); ++c) schedules_[c].prepare(batch.plans[c]);
}

}  // namespace lanerope::model
