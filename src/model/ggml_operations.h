// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "model/graph_builder.h"

namespace lanerope::model {

// Everything in plain ggml operations: runs on every back end, and is what the kernels are tested against.
// Attention is one product per segment and one soft-max over their concatenation. The graph follows the
// lengths of the segments, so it is built anew each step.
class GgmlOperations final : public LaneOperations {
 public:
  ggml_tensor* product(GraphBuilder& graph, const Linear& linear, ggml_tensor* x,
                       ggml_tensor* residual) override;
  QueryKeyValue query_key_value(GraphBuilder& graph, const LayerWeights& layer, ggml_tensor* x) override;
  ggml_tensor* swiglu(GraphBuilder& graph, const LayerWeights& layer, ggml_tensor* x) override;
  ggml_tensor* lane_attention(GraphBuilder& graph, const LayerWeights& layer,
                              const QueryKeyValue& qkv) override;
  ValueLayout value_layout() const override { return ValueLayout::transposed; }
  bool graph_is_reusable() const override { return false; }

 private:
  ggml_tensor* value_cells_ =
      nullptr;  // [head_dim * n_head_kv * n_rows] i64, of the graph that is being built
};

// LaneOperations::product by ggml's own, for any type and device.
ggml_tensor* plain_product(GraphBuilder& graph, const Linear& linear, ggml_tensor* x, ggml_tensor* residual);

// One block of the plan in one layer.
struct BlockOfLayer {
  int32_t block = 0;
  int32_t layer = 0;
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
