// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include <ggml.h>

#include "arch/model_config.h"
#include "kernels/rope.h"
#include "model/batch.h"
#include "model/kv_pool.h"
#include "model/operations.h"
#include "model/weights.h"

namespace lanerope::model {

// How the attention of one layer and block is spread, kept for the caller.
struct AttentionMassNode {
  int32_t layer = 0;
  int32_t block = 0;
  std::vector<int32_t> segments = {};  // of the block, those in view
  // [n segments (or all of their cells, with AttentionDetail::weights), n_rows of the block, n_head]
  ggml_tensor* mass = nullptr;
};

// ggml rotates pair t by position * base^(-2t/d) / divisor[t], and the base is the first rope's wherever
// there are divisors: what makes up for that.
std::vector<float> frequency_divisors(const core::RopeParameters& first_rope,
                                      std::span<const double> frequencies);
// How ggml is told of one of the config's ropes.
kernels::RopeAngles rope_angles(const arch::ModelConfig& config, int32_t rope);

// A thin layer over ggml in the terms of a decoder, in which decoder.cpp and the two Operations are written.
class GraphBuilder {
 public:
  struct Parts {
    const arch::ModelConfig& config;
    const KvPool& pool;
    std::span<const core::Theta> thetas;  // [ropes of the config]
    Operations& operations;
    const Batch& batch;  // its shape; for graphs that record attention also its plans
  };
  GraphBuilder(ggml_context* context, ggml_cgraph* graph, const Parts& parts);

  ggml_tensor* embedding(ggml_tensor* table);                  // rows of the batch's tokens
  ggml_tensor* rms_norm(ggml_tensor* x, ggml_tensor* weight);  // over the first dimension
  ggml_tensor* normed(Normed x);                               // the same tensor each time it is asked for
  // W N(x) with bias and LoRA terms, + residual, if any.
  ggml_tensor* linear(const Linear& linear, Normed x, ggml_tensor* residual = nullptr);
  QueryKeyValue qkv(const LayerWeights& layer, Normed x);
  ggml_tensor* heads(ggml_tensor* x, int32_t head_dim);  // [head_dim * n, n_rows] as [head_dim, n, n_rows]
  ggml_tensor* rope(const LayerWeights& layer, Normed heads);  // R(theta i) N(x), [head_dim, heads, n_rows]
  ggml_tensor* sum(const LayerWeights& layer, const Sum& of);  // residual + scale * N(x)
  ggml_tensor* tempered(ggml_tensor* q);  // times the config's temperature at each row's index
  ggml_tensor* attention(const LayerWeights& layer, const QueryKeyValue& qkv);
  ggml_tensor* ffn(const LayerWeights& layer, Normed x);
  ggml_tensor* experts(const LayerWeights& layer, Normed x);
  // Whether a bridge is behind the layer through which rows of this batch exchange.
  bool bridges(const LayerWeights& layer) const;
  ggml_tensor* bridge(const LayerWeights& layer, Normed x);
  ggml_tensor* keep_outputs(ggml_tensor* x);            // the wanted rows
  ggml_tensor* logits(const Linear& output, Normed x);  // [n_vocab, n_rows]

  // For Operations.
  // scale * x, and of that cap * tanh(x / cap) where there is a cap.
  struct SoftCap {
    float cap = 0;
    float scale = 1;
  };
  ggml_tensor* soft_capped(ggml_tensor* x, SoftCap with);
  ggml_tensor* add_lora(const Linear& linear, ggml_tensor* x, ggml_tensor* y);  // y + the LoRA terms of W x
  // activation(gate) * up
  ggml_tensor* gated(arch::Activation activation, ggml_tensor* gate, ggml_tensor* up);
  ggml_tensor* rotate_by_theta(ggml_tensor* x, int32_t rope);  // R(theta i) x, [head_dim, heads, n_rows]
  // x [head_dim, heads, n] rotated by `positions` [n] (i32) times `frequencies` [n_rot / 2] radians, or times
  // those that have `divisors` [n_rot / 2] (f32, frequency_divisors).
  ggml_tensor* rotate(ggml_tensor* x, ggml_tensor* positions, std::span<const double> frequencies);
  ggml_tensor* rotate(ggml_tensor* x, ggml_tensor* positions, ggml_tensor* divisors);
  const core::Theta& theta(int32_t rope) const { return parts_.thetas[rope]; }
  // f32 [n_adapters, n_rows], or [n_adapters, n_outputs] where only those rows are left.
  ggml_tensor* all_adapter_scales();
  ggml_tensor* cells();        // [n_rows] i64
  ggml_tensor* bridge_mask();  // [n_rows, n_rows] f32: 0 where the second's row hears the first's, else -inf
  ggml_tensor* bridge_gate();  // [1, n_rows] f32: 1 for rows that exchange, else 0
  bool has_lora(const Linear& linear) const;  // an adapter that is on changes it
  void expand(ggml_tensor* node);             // must be computed, though nothing in the graph may use it
  void add_mass(AttentionMassNode mass);

  // Inputs are filled from the batch before each run.
  using Fill = std::function<void(const Batch&, ggml_tensor*)>;
  ggml_tensor* input(ggml_type type, std::array<int64_t, 2> ne, Fill fill);

  ggml_context* context() const { return context_; }
  const arch::ModelConfig& config() const { return parts_.config; }
  const arch::LayerConfig& config(const LayerWeights& layer) const {
    return parts_.config.layers[layer.index];
  }
  const core::AttentionPlan& plan(const LayerWeights& layer) const {
    return parts_.batch.plans[config(layer).attention_class];
  }
  const KvPool& pool() const { return parts_.pool; }
  const Batch& batch() const { return parts_.batch; }

  struct Input {
    ggml_tensor* tensor;
    Fill fill;
  };
  std::vector<Input> take_inputs() { return std::move(inputs_); }
  std::vector<AttentionMassNode> take_mass() { return std::move(masses_); }

 private:
  ggml_tensor* positions();
  ggml_tensor* adapter_scale(int32_t adapter);
  ggml_tensor* constant_divisors(std::span<const double> frequencies);

  ggml_context* context_;
  ggml_cgraph* graph_;
  Parts parts_;
  std::vector<Input> inputs_ = {};
  std::vector<AttentionMassNode> masses_ = {};
  std::pair<Normed, ggml_tensor*> last_normed_ = {};
  ggml_tensor* positions_ = nullptr;     // [n_rows] i32
  ggml_tensor* temperatures_ = nullptr;  // [1, n_rows] f32
  ggml_tensor* cells_ = nullptr;         // [n_rows] i64
  ggml_tensor* outputs_ = nullptr;       // [n_outputs] i32, where only those rows were kept
  ggml_tensor* bridge_mask_ = nullptr;
  ggml_tensor* bridge_gate_ = nullptr;
  std::vector<ggml_tensor*> adapter_scales_ = {};  // per adapter [1, n_rows] f32 or null
  ggml_tensor* all_scales_ = nullptr;              // [n_adapters, n_rows] f32
  ggml_tensor* output_scales_ = nullptr;           // [n_adapters, n_outputs] f32
  // By the frequencies that they belong to.
  std::vector<std::pair<std::vector<double>, ggml_tensor*>> divisors_ = {};
};

}  // namespace lanerope::model
