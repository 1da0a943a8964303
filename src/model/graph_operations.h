// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "model/graph_builder.h"
#include "model/tile_attention.h"

namespace lanerope::model {

// Everything in plain ggml operations: runs on every back end, and is what the kernels are tested against.
// A graph has as many operations whatever the number of lanes is, and runs for every batch that is rounded up
// to its shape.
class GraphOperations final : public Operations {
 public:
  // graph_threads: of ggml's own, for what runs on the CPU.
  explicit GraphOperations(int32_t graph_threads) { traits_.graph_threads = graph_threads; }

  void begin_graph() override { attention_.begin_graph(); }
  ggml_tensor* linear(GraphBuilder& graph, const Linear& linear, Normed x, ggml_tensor* residual) override;
  QueryKeyValue qkv(GraphBuilder& graph, const LayerWeights& layer, Normed x) override;
  ggml_tensor* rope(GraphBuilder& graph, const LayerWeights& layer, Normed heads) override;
  ggml_tensor* sum(GraphBuilder& graph, const LayerWeights& layer, const Sum& of) override;
  ggml_tensor* ffn(GraphBuilder& graph, const LayerWeights& layer, Normed x) override;
  ggml_tensor* experts(GraphBuilder& graph, const LayerWeights& layer, Normed x) override;
  ggml_tensor* attention(GraphBuilder& graph, const LayerWeights& layer, const QueryKeyValue& qkv) override;
  ggml_tensor* bridge(GraphBuilder& graph, const LayerWeights& layer, Normed x) override;
  ggml_tensor* logits(GraphBuilder& graph, const Linear& output, Normed x) override;
  const OperationsTraits& traits() const override { return traits_; }

 private:
  OperationsTraits traits_ = {.rounds_batches = true, .most_graphs = 16};
  TileAttention attention_;
};

}  // namespace lanerope::model
