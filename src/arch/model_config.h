// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/theta.h"

namespace lanerope::arch {

// Where the RMS norms of a block stand: y = x + B(N x), y = x + N(B(x)), or both.
enum class NormPlace { before, after, both };

// RMS norm of queries and keys before RoPE: of every head, or of all heads of a token as one vector.
enum class QkNorm { none, per_head, whole_row };

// Of the gate of a feed-forward layer; gelu is its tanh form. clamped_silu also changes what the gate is
// multiplied with: g * sigmoid(1.702 g) * (u + 1), where g is at most 7 and u within -7 and 7.
enum class Activation { silu, gelu, clamped_silu };

// What one layer's attention depends on. Heads are alike in all layers of a model.
struct AttentionConfig {
  int32_t n_head = 0;
  int32_t n_head_kv = 0;
  int32_t head_dim = 0;
  int32_t rope = 0;    // index into ModelConfig::ropes
  int32_t window = 0;  // a query sees the keys of the last `window` steps of the clock, in every lane; 0: all
  float scale = 1.0F;  // of a score
  float score_cap = 0;  // c: a score s becomes c * tanh(s / c), before masks; 0: it stays as it is
  QkNorm qk_norm = QkNorm::none;
  bool qkv_bias = false;  // a file may lack them all the same
  bool output_bias = false;
  bool sinks = false;  // a score for each head that enters the soft-max's sum and has no value

  int32_t query_width() const { return head_dim * n_head; }
  int32_t kv_width() const { return head_dim * n_head_kv; }
};

// down(activation(gate x) * up x); with experts the weighted sum of that over those that the router's scores
// put first, weighted by the soft-max of these scores.
struct FfnConfig {
  Activation activation = Activation::silu;
  int32_t n_ffn = 0;     // of one expert, where there are some
  int32_t n_expert = 0;  // 0: a dense layer
  int32_t n_expert_used = 0;
  bool bias = false;  // of the router and of experts

  bool has_experts() const { return n_expert > 0; }
};

struct LayerConfig {
  NormPlace norms = NormPlace::before;
  AttentionConfig attention = {};
  FfnConfig ffn = {};
  // Layers of one class have the same rope and window, and so the same attention plan.
  int32_t attention_class = 0;  // index into ModelConfig::attention_classes
};

// Blocks behind layers in which the lanes of a group that are at one step exchange their hidden states:
// x_m += W_o sum_n share(m, n) W_v N(x_n) for each head, the shares being the soft-max over the lanes n, m
// itself among them, of <W_q N(x_m), W_k N(x_n)> / sqrt(head_dim).
struct BridgeConfig {
  int32_t n_head = 0;  // 0: there are none
  int32_t head_dim = 0;
  int32_t every = 1;  // behind every so many layers, counted from the first

  bool any() const { return n_head > 0; }
  bool behind(int32_t layer) const { return any() && (layer + 1) % every == 0; }
  int32_t width() const { return n_head * head_dim; }
};

struct AttentionClass {
  int32_t rope = 0;
  int32_t window = 0;
  bool operator==(const AttentionClass&) const = default;
};

// What a decoder is, as data: the loader, the graph, the trainer and the tools for tests read nothing else.
struct ModelConfig {
  std::string_view architecture = {};  // general.architecture; of the table in arch/architectures.cpp
  std::string name = {};
  int32_t n_embd = 0;
  int32_t n_vocab = 0;  // rows of the embedding; a tokenizer may have fewer tokens
  int32_t trained_context = 0;
  float rms_epsilon = 1e-5F;
  float embedding_scale = 1.0F;  // of the rows that are looked up
  float residual_scale = 1.0F;   // of what a block's two layers add to its input
  float logit_scale = 1.0F;      // of the logits
  float logit_cap = 0;           // c: a logit z becomes c * tanh(z / c); 0: it stays as it is
  // The query of the token at index i is multiplied by 1 + temperature_scale * ln(1 + floor(i /
  // temperature_length)).
  float temperature_scale = 0;  // 0: queries are as they are
  int32_t temperature_length = 1;
  bool tied = false;  // the output matrix is the embedding
  std::vector<core::RopeParameters> ropes = {};
  std::vector<LayerConfig> layers = {};
  std::vector<AttentionClass> attention_classes = {};
  BridgeConfig bridge = {};

  int32_t n_layer() const { return static_cast<int32_t>(layers.size()); }
  const AttentionConfig& attention() const { return layers.front().attention; }
  const FfnConfig& ffn() const { return layers.front().ffn; }
  const core::RopeParameters& rope() const { return ropes.front(); }
};

// Fills attention_classes and each layer's attention_class from its rope and window.
void set_attention_classes(ModelConfig& config);

}  // namespace lanerope::arch
