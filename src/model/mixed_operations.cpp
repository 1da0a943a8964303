// SPDX-License-Identifier: Apache-2.0
#include "model/mixed_operations.h"

#include <utility>

namespace lanerope::model {

MixedOperations::MixedOperations(const arch::ModelConfig& config, const Weights& weights,
                                 std::vector<int32_t> layers, int32_t threads)
    : layers_(std::move(layers)), kernels_(config, weights, threads), ggml_(threads) {
  traits_ = ggml_.traits();
  traits_.reads_plans = true;
  // What is heavy on the CPU has the kernels' own threads, beside which ggml's would spin.
  traits_.graph_threads = kernels_.traits().graph_threads;
}

ggml_tensor* MixedOperations::linear(GraphBuilder& graph, const Linear& linear, Normed x,
                                     ggml_tensor* residual) {
  if (linear.packed != nullptr) return kernels_.linear(graph, linear, x, residual);
  return ggml_.linear(graph, linear, x, residual);
}

QueryKeyValue MixedOperations::qkv(GraphBuilder& graph, const LayerWeights& layer, Normed x) {
  if (layer.packed_qkv != nullptr) return kernels_.qkv(graph, layer, x);
  return ggml_.qkv(graph, layer, x);
}

ggml_tensor* MixedOperations::rope(GraphBuilder& graph, const LayerWeights& layer, Normed heads) {
  if (layers_[layer.index] == cpu_device) return kernels_.rope(graph, layer, heads);
  return ggml_.rope(graph, layer, heads);
}

ggml_tensor* MixedOperations::sum(GraphBuilder& graph, const LayerWeights& layer, const Sum& of) {
  if (layers_[layer.index] == cpu_device) return kernels_.sum(graph, layer, of);
  return ggml_.sum(graph, layer, of);
}

ggml_tensor* MixedOperations::ffn(GraphBuilder& graph, const LayerWeights& layer, Normed x) {
  if (layer.packed_gate_up != nullptr) return kernels_.ffn(graph, layer, x);
  return ggml_.ffn(graph, layer, x);
}

ggml_tensor* MixedOperations::experts(GraphBuilder& graph, const LayerWeights& layer, Normed x) {
  if (layer.packed_gate_up != nullptr) return kernels_.experts(graph, layer, x);
  return ggml_.experts(graph, layer, x);
}

ggml_tensor* MixedOperations::attention(GraphBuilder& graph, const LayerWeights& layer,
                                        const QueryKeyValue& qkv) {
  if (layers_[layer.index] == cpu_device) return kernels_.attention(graph, layer, qkv);
  return ggml_.attention(graph, layer, qkv);
}

ggml_tensor* MixedOperations::bridge(GraphBuilder& graph, const LayerWeights& layer, Normed x) {
  if (layers_[layer.index] == cpu_device) return kernels_.bridge(graph, layer, x);
  return ggml_.bridge(graph, layer, x);
}

ggml_tensor* MixedOperations::logits(GraphBuilder& graph, const Linear& output, Normed x) {
  if (output.packed != nullptr) return kernels_.logits(graph, output, x);
  return ggml_.logits(graph, output, x);
}

}  // namespace lanerope::model
