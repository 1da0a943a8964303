// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <ggml.h>

#include "model/batch.h"
#include "model/kv_pool.h"
#include "model/weights.h"

namespace lanerope::model {

class GraphBuilder;

// x, still to be normed where there is a norm: CpuOperations does that inside the product, others by
// GraphBuilder::normed.
struct Normed {
  ggml_tensor* x = nullptr;     // [n_in, n_rows]
  ggml_tensor* norm = nullptr;  // [n_in] weight of the RMS norm, or null
};

struct QueryKeyValue {
  ggml_tensor* q = nullptr;  // [query_width, n_rows], or as heads [head_dim, n_head, n_rows]
  ggml_tensor* k = nullptr;  // [kv_width, n_rows], or [head_dim, n_head_kv, n_rows]
  ggml_tensor* v = nullptr;  // as k
};

// residual + scale * N(x), residual and N only where they are there.
struct Sum {
  Normed x = {};
  float scale = 1;
  ggml_tensor* residual = nullptr;  // [n, n_rows] or null
};

// What the rest of the model layer must know of an implementation.
struct OperationsTraits {
  // Batches are rounded up, and the graph takes their plans as tensors (round_batch.h).
  bool rounds_batches = false;
  bool reads_plans = false;   // the plans themselves too, where batches are rounded up
  int32_t most_graphs = 6;    // that are kept: prefill in whole chunks, its last one, decode with some lanes
  int32_t graph_threads = 1;  // threads of ggml's own that run the graph
};

// The operations that have two implementations: GraphOperations (plain ggml, on every device) and
// CpuOperations (lanerope's kernels, on the CPU). MixedOperations takes each where its operands lie.
class Operations {
 public:
  virtual ~Operations() = default;
  // Called before a graph is built.
  virtual void begin_graph() {}
  // W N(x) + bias with LoRA terms, + residual, if any: [n_out, n_rows].
  virtual ggml_tensor* linear(GraphBuilder& graph, const Linear& linear, Normed x, ggml_tensor* residual) = 0;
  // q, k and v of one layer with their biases and LoRA terms, each [n_out, n_rows], rows maybe apart in
  // memory.
  virtual QueryKeyValue qkv(GraphBuilder& graph, const LayerWeights& layer, Normed x) = 0;
  // Heads [head_dim, heads, n_rows] each normed where there is a norm, and rotated by theta i: the same
  // shape.
  virtual ggml_tensor* rope(GraphBuilder& graph, const LayerWeights& layer, Normed heads) = 0;
  // The scale is 1 for the norm of a layer's queries or keys, otherwise the config's for residuals.
  virtual ggml_tensor* sum(GraphBuilder& graph, const LayerWeights& layer, const Sum& of) = 0;
  // activation(gate N(x)) * up N(x): [n_ffn, n_rows].
  virtual ggml_tensor* ffn(GraphBuilder& graph, const LayerWeights& layer, Normed x) = 0;
  // The weighted sum of what the experts that the router picks for each row make of N(x): [n_embd, n_rows].
  virtual ggml_tensor* experts(GraphBuilder& graph, const LayerWeights& layer, Normed x) = 0;
  // Stores k and v in the batch's cells and attends as the plan of the layer's class says: [query_width,
  // n_rows].
  virtual ggml_tensor* attention(GraphBuilder& graph, const LayerWeights& layer,
                                 const QueryKeyValue& qkv) = 0;
  // What each row gathers from the rows that it exchanges with, before the bridge's last linear: [bridge
  // width, n_rows], zeros for rows that exchange with nobody.
  virtual ggml_tensor* bridge(GraphBuilder& graph, const LayerWeights& layer, Normed x) = 0;
  // W N(x) as `linear` has it, scaled and capped as the config says: [n_vocab, n_rows].
  virtual ggml_tensor* logits(GraphBuilder& graph, const Linear& output, Normed x) = 0;
  // Called before each run of a graph with the batch that it runs on.
  virtual void prepare(const Batch&) {}
  virtual const OperationsTraits& traits() const = 0;
};

}  // namespace lanerope::model
