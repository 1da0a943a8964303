// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <functional>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include <ggml.h>

#include "model/batch.h"
#include "model/hyperparameters.h"
#include "model/kv_pool.h"
#include "model/weights.h"

namespace lanerope::model {

class GraphBuilder;

struct QueryKeyValue {
  ggml_tensor* q = nullptr;  // [head_dim, n_head, n_rows]
  ggml_tensor* k = nullptr;  // [head_dim, n_head_kv, n_rows]
  ggml_tensor* v = nullptr;  // [head_dim, n_head_kv, n_rows]
};

// How the attention of one layer and block is spread, kept for the caller.
struct AttentionMassNode {
  int32_t layer = 0;
  int32_t block = 0;
  std::vector<int32_t> segments = {};  // of the block, those in view
  // [n segments (or all of their cells, with AttentionDetail::weights), n_rows of the block, n_head]
  ggml_tensor* mass = nullptr;
};

// The operations that have two implementations: plain ggml (model/ggml_operations.h), on every back end, and
// lanerope's kernels (model/kernel_operations.h), on the CPU.
class LaneOperations {
 public:
  virtual ~LaneOperations() = default;
  // W x + bias, without LoRA terms, + residual, if any: [n_out, n_rows].
  virtual ggml_tensor* product(GraphBuilder& graph, const Linear& linear, ggml_tensor* x,
                               ggml_tensor* residual) = 0;
  // q, k and v of one layer with their biases and LoRA terms, each [n_out, n_rows], rows maybe apart in
  // memory.
  virtual QueryKeyValue query_key_value(GraphBuilder& graph, const LayerWeights& layer, ggml_tensor* x) = 0;
  // silu(gate x) * up x: [n_ffn, n_rows].
  virtual ggml_tensor* swiglu(GraphBuilder& graph, const LayerWeights& layer, ggml_tensor* x) = 0;
  // Stores k and v in the batch's cells and attends as the plan says: [head_dim * n_head, n_rows].
  virtual ggml_tensor* lane_attention(GraphBuilder& graph, const LayerWeights& layer,
                                      const QueryKeyValue& qkv) = 0;
  // Called before each run of a graph with the batch that it runs on.
  virtual void prepare(const Batch&) {}
  // How many of `threads` threads are ggml's own, to run the graph.
  virtual int32_t graph_threads(int32_t threads) const { return threads; }
  virtual ValueLayout value_layout() const = 0;
  // The graph depends on the shape of the batch alone, not on what its plan says, so it may run again.
  virtual bool graph_is_reusable() const = 0;
};

// A thin layer over ggml in the terms of a decoder: architectures are written in it.
class GraphBuilder {
 public:
  struct Parts {
    const Hyperparameters& h;
    const KvPool& pool;
    const core::Theta& theta;
    LaneOperations& operations;
    const Batch& batch;  // its shape; for graphs that are not reusable also its plan
  };
  GraphBuilder(ggml_context* context, ggml_cgraph* graph, const Parts& parts);

  ggml_tensor* embedding(ggml_tensor* table);                  // rows of the batch's tokens
  ggml_tensor* rms_norm(ggml_tensor* x, ggml_tensor* weight);  // over the first dimension
  ggml_tensor* linear(const Linear& linear, ggml_tensor* x);   // with bias and LoRA terms
  ggml_tensor* add_linear(ggml_tensor* to, const Linear& linear, ggml_tensor* x);  // to + that
  std::tuple<ggml_tensor*, ggml_tensor*, ggml_tensor*> query_key_value(const LayerWeights& layer,
                                                                       ggml_tensor* x);
  ggml_tensor* rope(ggml_tensor* x);  // R(theta i), [head_dim, heads, n_rows]
  ggml_tensor* lane_attention(const LayerWeights& layer, const QueryKeyValue& qkv);
  ggml_tensor* swiglu(const LayerWeights& layer, ggml_tensor* x);
  // The wanted rows of both.
  std::pair<ggml_tensor*, ggml_tensor*> keep_outputs(ggml_tensor* a, ggml_tensor* b);

  // For LaneOperations.
  ggml_tensor* add_lora(const Linear& linear, ggml_tensor* x, ggml_tensor* y);  // y + the LoRA terms of W x
  // x [head_dim, heads, n] rotated by `positions` [n] (i32) times `frequencies` [head_dim / 2] radians.
  ggml_tensor* rotate(ggml_tensor* x, ggml_tensor* positions, std::span<const double> frequencies);
  ggml_tensor* cells();                       // [n_rows] i64
  bool has_lora(const Linear& linear) const;  // an adapter that is on corrects it
  void expand(ggml_tensor* node);             // must be computed, though nothing in the graph may use it
  void add_mass(AttentionMassNode mass);

  // Inputs are filled from the batch before each run.
  using Fill = std::function<void(const Batch&, ggml_tensor*)>;
  ggml_tensor* input(ggml_type type, std::array<int64_t, 2> ne, Fill fill);

  ggml_context* context() const { return context_; }
  const Hyperparameters& h() const { return parts_.h; }
  const KvPool& pool() const { return parts_.pool; }
  const Batch& batch() const { return parts_.batch; }
  const core::Theta& theta() const { return parts_.theta; }

  struct Input {
    ggml_tensor* tensor;
    Fill fill;
  };
  std::vector<Input> take_inputs() { return std::move(inputs_); }
  std::vector<AttentionMassNode> take_mass() { return std::move(masses_); }

 private:
  ggml_tensor* positions();
  ggml_tensor* adapter_scale(int32_t adapter);
  ggml_tensor* frequency_divisors(std::span<const double> frequencies);

  ggml_context* context_;
  ggml_cgraph* graph_;
  Parts parts_;
  std::vector<Input> inputs_ = {};
  std::vector<AttentionMassNode> masses_ = {};
  ggml_tensor* positions_ = nullptr;               // [n_rows] i32
  ggml_tensor* cells_ = nullptr;                   // [n_rows] i64
  ggml_tensor* outputs_ = nullptr;                 // [n_outputs] i32
  std::vector<ggml_tensor*> adapter_scales_ = {};  // per adapter [1, n_rows] f32 or null
  std::vector<std::pair<std::vector<double>, ggml_tensor*>> divisors_ =
      {};  // by the frequencies they belong to
};

}  // namespace lanerope::model
