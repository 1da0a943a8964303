// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "model/graph_builder.h"

namespace lanerope::model {

// Everything in plain ggml operations: runs on every back end, and is what the kernels are tested against.
// Attention is one product per run of cells and one soft-max over their concatenation. The graph follows the
// lengths of the runs, so it is built anew each step.
class GraphOperations final : public Operations {
 public:
  // graph_threads: of ggml's own, for what runs on the CPU.
  explicit GraphOperations(int32_t graph_threads) { traits_.graph_threads = graph_threads; }

  ggml_tensor* linear(GraphBuilder& graph, const Linear& linear, Normed x, ggml_tensor* residual) override;
  QueryKeyValue qkv(GraphBuilder& graph, const LayerWeights& layer, Normed x) override;
  ggml_tensor* ffn(GraphBuilder& graph, const LayerWeights& layer, Normed x) override;
  ggml_tensor* experts(GraphBuilder& graph, const LayerWeights& layer, Normed x) override;
  ggml_tensor* attention(GraphBuilder& graph, const LayerWeights& layer, const QueryKeyValue& qkv) override;
  const OperationsTraits& traits() const override { return traits_; }

 private:
  OperationsTraits traits_ = {.value_layout = ValueLayout::transposed, .reusable_graph = false};
  ggml_tensor* value_cells_ = nullptr;  // [kv_width * n_rows] i64, of the graph that is being built
};

// One block of the plan in one layer.
struct BlockOfLayer {
  int32_t block = 0;
  const LayerWeights& layer;
};

// The soft-max of one block over all of its segments, in plain operations.
struct BlockProbabilities {
  ggml_tensor* p = nullptr;       // [cells of all segments in view, n_rows of the block, n_head]
  std::vector<int32_t> segments;  // which segments are in view, in the order of their cells in p
};

// q is [head_dim, n_head, n_rows of the batch], rotated by theta * i; `keys` is the layer's pool after the
// batch's keys were written to it.
BlockProbabilities block_probabilities(GraphBuilder& graph, BlockOfLayer where, ggml_tensor* q,
                                       ggml_tensor* keys);

// Keeps what the batch wants to know of the block's attention.
void record_block(GraphBuilder& graph, BlockOfLayer where, const BlockProbabilities& probabilities);

}  // namespace lanerope::model
