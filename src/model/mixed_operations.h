// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "model/cpu_operations.h"
#include "model/graph_operations.h"

namespace lanerope::model {

// lanerope's kernels for what lies on the CPU and plain ggml for what lies on other devices, in one graph.
// Linears are told apart one by one, attention by where the layer's cells lie.
class MixedOperations final : public Operations {
 public:
  // `layers` are the devices of the layers, [n_layer] or more. The weights must outlive this.
  MixedOperations(const arch::ModelConfig& config, const Weights& weights, std::vector<int32_t> layers,
                  int32_t threads);

  void begin_graph() override { ggml_.begin_graph(); }
  ggml_tensor* linear(GraphBuilder& graph, const Linear& linear, Normed x, ggml_tensor* residual) override;
  QueryKeyValue qkv(GraphBuilder& graph, const LayerWeights& layer, Normed x) override;
  ggml_tensor* rope(GraphBuilder& graph, const LayerWeights& layer, Normed heads) override;
  ggml_tensor* sum(GraphBuilder& graph, const LayerWeights& layer, const Sum& of) override;
  ggml_tensor* ffn(GraphBuilder& graph, const LayerWeights& layer, Normed x) override;
  ggml_tensor* experts(GraphBuilder& graph, const LayerWeights& layer, Normed x) override;
  ggml_tensor* attention(GraphBuilder& graph, const LayerWeights& layer, const QueryKeyValue& qkv) override;
  ggml_tensor* bridge(GraphBuilder& graph, const LayerWeights& layer, Normed x) override;
  ggml_tensor* logits(GraphBuilder& graph, const Linear& output, Normed x) override;
  void prepare(const Batch& batch) override { kernels_.prepare(batch); }
  const OperationsTraits& traits() const override { return traits_; }

 private:
  OperationsTraits traits_;
  std::vector<int32_t> layers_;
  CpuOperations kernels_;
  GraphOperations ggml_;
};

}  // namespace lanerope::model
