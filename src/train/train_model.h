// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "model/hyperparameters.h"
#include "text/vocabulary.h"
#include "train/lane_batch.h"
#include "train/train_config.h"

namespace lanerope::train {

// y = W x + b, and while an adapter is trained + gain * B (A x). Tensors are undefined where absent.
struct TrainLinear {
  torch::Tensor weight = {};  // (n_out, n_in)
  torch::Tensor bias = {};    // (n_out)
  torch::Tensor lora_a = {};  // (rank, n_in)
  torch::Tensor lora_b = {};  // (n_out, rank)
};

struct TrainLayer {
  torch::Tensor attn_norm = {};    // (width)
  torch::Tensor attn_q_norm = {};  // (head_dim) qwen3
  torch::Tensor attn_k_norm = {};  // (head_dim) qwen3
  torch::Tensor ffn_norm = {};     // (width)
  TrainLinear attn_q = {};         // (n_head * head_dim, width)
  TrainLinear attn_k = {};         // (n_head_kv * head_dim, width)
  TrainLinear attn_v = {};         // (n_head_kv * head_dim, width)
  TrainLinear attn_output = {};    // (width, n_head * head_dim)
  TrainLinear ffn_gate = {};       // (n_ffn, width)
  TrainLinear ffn_up = {};         // (n_ffn, width)
  TrainLinear ffn_down = {};       // (width, n_ffn)
};

// Whether the low-rank products take part in a forward pass.
enum class AdapterUse { on, off };

// The blocks of llama, qwen2 and qwen3 with libtorch's gradients: the same computation as the engine's
// (tests/train/train_model_test.cpp compares them). Rotary pairs are always halves inside; llama's adjacent
// pairs are permuted where files are read and written. One thread at a time.
class TrainModel {
 public:
  // Random weights of the shape.
  TrainModel(const ModelShape& shape, text::VocabularyData vocabulary, uint64_t seed);
  // A GGUF model of any float or quantised type.
  explicit TrainModel(const std::string& path);

  // Adds trainable low-rank pairs, and stops everything else from being trained.
  void add_lora(const LoraConfig& lora, uint64_t seed);
  // Goes on from a LoRA GGUF, its omega included.
  void load_adapter(const std::string& path);
  // What lanes are rotated by: from an initialisation ...
  void set_omega(const OmegaConfig& omega);
  // ... or as it is, (1 or n_layer, head_dim / 2).
  void set_omega(torch::Tensor omega);
  // Has it trained from where it is, for each layer on its own or for all together as it stands.
  void learn_omega(bool per_layer);
  void set_compute_type(ComputeType type) { compute_type_ = type; }
  void to(torch::Device device);
  // As it is now, whatever this model learns; none of the copy is trained.
  TrainModel copy_frozen() const;

  // Logits of every token at the rows that predict something: (n_targets, n_vocab).
  torch::Tensor logits(const LaneBatch& batch, AdapterUse use = AdapterUse::on) const;
  // Of the targets: (n_targets).
  torch::Tensor log_probabilities(const LaneBatch& batch, AdapterUse use = AdapterUse::on) const;

  // By the names of GGUF, with .lora_a and .lora_b behind those of adapters, and "omega".
  std::map<std::string, torch::Tensor> parameters() const;  // all of them
  std::map<std::string, torch::Tensor> trained() const;     // those that need gradients

  const model::Hyperparameters& hyperparameters() const { return h_; }
  const text::VocabularyData& vocabulary() const { return vocabulary_; }
  const torch::Tensor& omega() const { return omega_; }
  const LoraConfig& lora() const { return lora_; }
  // A file it was read from, model or adapter, says that it was trained with lanes.
  bool knows_lanes() const { return knows_lanes_; }

 private:
  struct Rotated;
  torch::Tensor linear(const std::vector<const TrainLinear*>& parts, const torch::Tensor& x,
                       const Rotated& rotated) const;
  // What an adapter adds to the product with x, (n, n_out); where gate (n, 1) is 0, nothing.
  torch::Tensor correction(const TrainLinear& part, const torch::Tensor& x, const torch::Tensor& gate) const;
  torch::Tensor attention(const TrainLayer& layer, const torch::Tensor& x, const Rotated& rotated) const;
  void for_each_linear(const std::function<void(const std::string&, TrainLinear&)>& visit);
  void for_each_tensor(const std::function<void(torch::Tensor&)>& visit);
  void require_gradients();

  model::Hyperparameters h_;
  std::vector<double> theta_;  // [head_dim / 2] radians a token
  float magnitude_ = 1;
  text::VocabularyData vocabulary_;
  ComputeType compute_type_ = ComputeType::f32;
  LoraConfig lora_;
  torch::Tensor token_embd_;   // (n_vocab, width)
  torch::Tensor output_norm_;  // (width)
  TrainLinear output_;         // (n_vocab, width); undefined where tied
  torch::Tensor omega_;        // (1 or n_layer, head_dim / 2)
  bool knows_lanes_ = false;
  std::vector<TrainLayer> layers_;
};

}  // namespace lanerope::train
