// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "arch/model_config.h"
#include "arch/tensor_table.h"
#include "core/theta.h"
#include "text/vocabulary.h"
#include "train/lane_batch.h"
#include "train/train_config.h"
#include "train/train_layer.h"

namespace lanerope::train {

// Whether the low-rank products take part in a forward pass.
enum class AdapterUse { on, off };

// What an omega began as, before any training; by default the zeros of a model that knows no lanes.
struct OmegaStart {
  OmegaInit init = OmegaInit::rope;
  int32_t stride = 0;
};

// What keeps lanerope-train from training such a model; nothing where it can.
std::optional<std::string> train_obstacle(const arch::ModelConfig& config);

// The decoder with libtorch's gradients: the same computation as the engine's
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
  // Adds blocks for the coupling bridge, the output of each zero. They learn beside whatever else does.
  void add_bridge(const BridgeTraining& bridge, uint64_t seed);
  // Stops everything but bridges and low-rank pairs from being trained.
  void learn_bridge_alone();
  // Takes over what another model of the same base learnt beside it: bridges, low-rank pairs and omega.
  void adopt(const TrainModel& trained);
  // Goes on from a LoRA GGUF, its omega included.
  void load_adapter(const std::string& path);
  // What lanes are rotated by: from an initialisation ...
  void set_omega(const OmegaConfig& omega);
  // ... or as it is, (1 or n_layer, head_dim / 2).
  void set_omega(const torch::Tensor& omega);
  // Has it trained from where it is, for each layer on its own or for all together as it stands.
  void learn_omega(bool per_layer);
  // What products are computed in. While an adapter is trained, all other weights are brought to that type,
  // once: call it where the model has its adapter and its device.
  void set_compute_type(ComputeType type);
  // Batches of more rows keep of each layer no more than what goes in, and compute the rest again on the way
  // back; 0: none do. The model and what it learns must then stay where they are until the way back is gone.
  void set_recompute_above(int64_t n_rows) { recompute_above_ = n_rows; }
  void to(torch::Device device);
  // As it is now, whatever this model learns; none of the copy is trained.
  TrainModel copy_frozen() const;

  // Logits of every token at the rows that predict something: (n_targets, n_vocab).
  torch::Tensor logits(const LaneBatch& batch, AdapterUse use = AdapterUse::on) const;
  // Whether log_probabilities keeps no logits, since their matrix does not learn and nothing caps them.
  bool makes_no_logits() const { return frozen_output_.defined() && config_.logit_cap == 0; }
  // Of the targets: (n_targets).
  torch::Tensor log_probabilities(const LaneBatch& batch, AdapterUse use = AdapterUse::on) const;

  // By the names of GGUF, with .lora_a and .lora_b behind those of adapters, and "omega".
  std::map<std::string, torch::Tensor> parameters() const;  // all of them
  std::map<std::string, torch::Tensor> trained() const;     // those that need gradients

  const arch::ModelConfig& config() const { return config_; }
  const text::VocabularyData& vocabulary() const { return vocabulary_; }
  const torch::Tensor& omega() const { return omega_; }
  const LoraConfig& lora() const { return lora_; }
  // No weight of the base learns, only what was added to it.
  bool keeps_base() const { return lora_.rank > 0 || bridge_alone_; }
  // A file it was read from, model or adapter, says that it was trained with lanes.
  bool knows_lanes() const { return knows_lanes_; }
  // As those files say it, or as set_omega was told.
  const OmegaStart& omega_start() const { return omega_start_; }

 private:
  struct Rotated;
  // Linears that read the same input multiply as one: (n, n_in) to (n, all n_out). `frozen`: their weights in
  // one where they do not learn.
  torch::Tensor linear(const std::vector<const TrainLinear*>& parts, const torch::Tensor& frozen,
                       const torch::Tensor& x, const Rotated& rotated) const;
  torch::Tensor frozen_product(const std::vector<const TrainLinear*>& parts, const torch::Tensor& weight,
                               const torch::Tensor& x, const Rotated& rotated) const;
  // What the last norm gives for the rows that predict something, (n_targets, n_embd).
  torch::Tensor last_rows(const LaneBatch& batch, Rotated& rotated) const;
  // x (n_rows, n_embd) behind a layer.
  torch::Tensor layer_output(size_t layer, const torch::Tensor& x, const Rotated& rotated) const;
  // The same, computed again on the way back; `trained` of trained_by_layer.
  torch::Tensor recomputed_layer(size_t layer, const torch::Tensor& x, const Rotated& rotated,
                                 const std::vector<torch::Tensor>& trained) const;
  // [n_layer] those of each layer that need gradients.
  std::vector<std::vector<torch::Tensor>> trained_by_layer() const;
  torch::Tensor logits_of(const torch::Tensor& last, const LaneBatch& batch, const Rotated& rotated) const;
  Rotated rotated_by(const LaneBatch& batch, AdapterUse use) const;
  // What an adapter adds to the product with x, (n, n_out); where gate (n, 1) is 0, nothing.
  torch::Tensor correction(const TrainLinear& part, const torch::Tensor& x, const torch::Tensor& gate) const;
  torch::Tensor attention(const TrainLayer& layer, const arch::AttentionConfig& config,
                          const torch::Tensor& x, const Rotated& rotated) const;
  torch::Tensor feed_forward(const TrainLayer& layer, const torch::Tensor& x, const Rotated& rotated) const;
  // x with what the rows that exchange hear of one another, (n_rows, n_embd).
  torch::Tensor bridge(const TrainLayer& layer, const torch::Tensor& x, const Rotated& rotated) const;
  // The places of what arch::tensor_table names.
  TrainLinear& linear_at(const arch::TensorSpec& spec);
  torch::Tensor& vector_at(const arch::TensorSpec& spec);
  // Every linear that the model has, with its spec.
  void for_each_linear(const std::function<void(const arch::TensorSpec&, TrainLinear&)>& visit);
  torch::Tensor normed(const torch::Tensor& x, const torch::Tensor& weight) const;
  // Every tensor that there is, with its layer, -1 for those of none.
  void for_each_tensor(const std::function<void(int32_t layer, torch::Tensor&)>& visit);
  void require_gradients();

  arch::ModelConfig config_;
  std::vector<core::Theta> thetas_;  // one for each rope of the config
  text::VocabularyData vocabulary_;
  ComputeType compute_type_ = ComputeType::f32;
  LoraConfig lora_;
  torch::Tensor token_embd_;     // (n_vocab, n_embd)
  torch::Tensor output_norm_;    // (n_embd)
  TrainLinear output_;           // (n_vocab, n_embd); undefined where tied
  torch::Tensor frozen_output_;  // (n_vocab, n_embd) in the type of products; undefined while it learns
  int64_t recompute_above_ = 0;
  bool frozen_ = false;        // no weight of the base learns, only what was added to it
  bool bridge_alone_ = false;  // the same is wanted, without an adapter
  torch::Tensor omega_;        // (1 or n_layer, head_dim / 2)
  OmegaStart omega_start_;
  bool knows_lanes_ = false;
  std::vector<TrainLayer> layers_;
};

}  // namespace lanerope::train
