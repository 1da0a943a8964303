// SPDX-License-Identifier: Apache-2.0
#include "train/train_model.h"

#include <torch/torch.h>

#include <cmath>
#include <set>

#include "core/lane_rotation.h"
#include "lanerope/errors.h"

namespace lanerope::train {

using torch::Tensor;

namespace {

Tensor random(const std::vector<int64_t>& sizes, double deviation, torch::Generator& generator) {
  return torch::randn(sizes, generator) * deviation;
}

}  // namespace

TrainModel::TrainModel(const ModelShape& shape, text::VocabularyData vocabulary, uint64_t seed)
    : vocabulary_(std::move(vocabulary)) {
  const auto n_vocab = static_cast<int32_t>(vocabulary_.tokens.size());
  const float scale = 1.0F / std::sqrt(static_cast<float>(shape.head_dim));
  config_ = {.architecture = "qwen2",
             .n_embd = shape.width,
             .n_vocab = n_vocab,
             .trained_context = shape.context,
             .tied = shape.tied,
             .ropes = {{.dimensions = shape.head_dim, .base = shape.rope_base}}};
  config_.layers.assign(shape.layers, {.attention = {.n_head = shape.heads,
                                                     .n_head_kv = shape.kv_heads,
                                                     .head_dim = shape.head_dim,
                                                     .scale = scale,
                                                     .qkv_bias = true},
                                       .ffn = {.n_ffn = shape.ffn}});
  arch::set_attention_classes(config_);
  thetas_ = {core::effective_theta(config_.rope())};

  auto generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  const auto matrix = [&](int64_t n_out, int64_t n_in, double gain) {
    return TrainLinear{.weight =
                           random({n_out, n_in}, gain / std::sqrt(static_cast<double>(n_in)), generator)};
  };
  const auto with_bias = [&](TrainLinear linear) {
    linear.bias = torch::zeros({linear.weight.size(0)});
    return linear;
  };
  // What is added to the residual stream starts small, the smaller the more layers add to it.
  const double residual = 1 / std::sqrt(2.0 * shape.layers);
  const int64_t width = shape.width;
  const int64_t query = int64_t{shape.heads} * shape.head_dim;
  const int64_t kv = int64_t{shape.kv_heads} * shape.head_dim;
  token_embd_ = random({n_vocab, width}, 0.3, generator);
  output_norm_ = torch::ones({width});
  if (!shape.tied) output_ = matrix(n_vocab, width, 0.3);
  for (int32_t i = 0; i < shape.layers; ++i) {
    layers_.push_back({.attn_norm = torch::ones({width}),
                       .ffn_norm = torch::ones({width}),
                       .attn_q = with_bias(matrix(query, width, 0.7)),
                       .attn_k = with_bias(matrix(kv, width, 0.7)),
                       .attn_v = with_bias(matrix(kv, width, 0.7)),
                       .attn_output = matrix(width, query, 0.5 * residual),
                       .ffn_gate = matrix(shape.ffn, width, 0.7),
                       .ffn_up = matrix(shape.ffn, width, 0.7),
                       .ffn_down = matrix(width, shape.ffn, 0.5 * residual)});
  }
  omega_ = torch::zeros({1, shape.head_dim / 2});
  require_gradients();
}

std::optional<std::string> train_obstacle(const arch::ModelConfig& config) {
  if (config.ffn().has_experts()) return "its feed-forward layers are experts";
  if (config.rope().dimensions != config.attention().head_dim) return "only part of each head is rotated";
  return std::nullopt;
}

TrainLinear& TrainModel::linear_at(const arch::TensorSpec& spec) {
  using arch::Role;
  if (spec.role == Role::output) return output_;
  TrainLayer& layer = layers_[spec.layer];
  switch (spec.role) {
    case Role::attn_q:
      return layer.attn_q;
    case Role::attn_k:
      return layer.attn_k;
    case Role::attn_v:
      return layer.attn_v;
    case Role::attn_output:
      return layer.attn_output;
    case Role::ffn_gate:
      return layer.ffn_gate;
    case Role::ffn_up:
      return layer.ffn_up;
    case Role::bridge_q:
      return layer.bridge_q;
    case Role::bridge_k:
      return layer.bridge_k;
    case Role::bridge_v:
      return layer.bridge_v;
    case Role::bridge_output:
      return layer.bridge_output;
    default:
      return layer.ffn_down;
  }
}

Tensor& TrainModel::vector_at(const arch::TensorSpec& spec) {
  using arch::Role;
  if (spec.role == Role::token_embd) return token_embd_;
  if (spec.role == Role::output_norm) return output_norm_;
  TrainLayer& layer = layers_[spec.layer];
  switch (spec.role) {
    case Role::attn_norm:
      return layer.attn_norm;
    case Role::attn_q_norm:
      return layer.attn_q_norm;
    case Role::attn_k_norm:
      return layer.attn_k_norm;
    case Role::post_attention_norm:
      return layer.post_attention_norm;
    case Role::ffn_norm:
      return layer.ffn_norm;
    case Role::bridge_norm:
      return layer.bridge_norm;
    default:
      return layer.post_ffw_norm;
  }
}

void TrainModel::for_each_linear(const std::function<void(const arch::TensorSpec&, TrainLinear&)>& visit) {
  for (const arch::TensorSpec& spec : arch::tensor_table(config_)) {
    if (spec.linear) visit(spec, linear_at(spec));
  }
}

std::map<std::string, Tensor> TrainModel::parameters() const {
  auto& self = const_cast<TrainModel&>(*this);
  std::map<std::string, Tensor> all = {{"omega", omega_}};
  for (const arch::TensorSpec& spec : arch::tensor_table(config_)) {
    if (spec.bias) continue;  // comes with its linear
    if (!spec.linear) {
      all[spec.name] = self.vector_at(spec);
      continue;
    }
    const TrainLinear& linear = self.linear_at(spec);
    all[spec.name] = linear.weight;
    if (linear.bias.defined()) all[arch::tensor_stem(spec.role, spec.layer) + ".bias"] = linear.bias;
    if (linear.lora_a.defined()) all[spec.name + ".lora_a"] = linear.lora_a;
    if (linear.lora_b.defined()) all[spec.name + ".lora_b"] = linear.lora_b;
  }
  return all;
}

std::map<std::string, Tensor> TrainModel::trained() const {
  std::map<std::string, Tensor> some = parameters();
  std::erase_if(some, [](const auto& item) { return !item.second.requires_grad(); });
  return some;
}

std::vector<std::vector<Tensor>> TrainModel::trained_by_layer() const {
  std::vector<std::vector<Tensor>> all(layers_.size());
  const_cast<TrainModel&>(*this).for_each_tensor([&](int32_t layer, const Tensor& tensor) {
    if (layer >= 0 && tensor.requires_grad()) all[layer].push_back(tensor);
  });
  return all;
}

void TrainModel::require_gradients() {
  for (auto& [name, tensor] : parameters()) {
    const bool lora = name.ends_with(".lora_a") || name.ends_with(".lora_b");
    const bool bridge = name.find(".bridge_") != std::string::npos;
    tensor.set_requires_grad(name != "omega" && (lora || bridge || !keeps_base()));
  }
}

void TrainModel::add_lora(const LoraConfig& lora, uint64_t seed) {
  lora_ = lora;
  if (lora_.alpha == 0) lora_.alpha = 2 * static_cast<float>(lora_.rank);
  auto generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  std::set<std::string> unknown(lora_.targets.begin(), lora_.targets.end());
  for_each_linear([&](const arch::TensorSpec& spec, TrainLinear& linear) {
    const std::string stem(arch::stem(spec.role));
    const bool wanted = std::ranges::find(lora_.targets, stem) != lora_.targets.end();
    if (!wanted || arch::is_of_bridge(spec.role)) return;
    const int64_t n_in = linear.weight.size(1);
    linear.lora_a = random({lora_.rank, n_in}, 1 / std::sqrt(static_cast<double>(n_in)), generator);
    linear.lora_b = torch::zeros({linear.weight.size(0), lora_.rank});
    unknown.erase(stem);
  });
  if (!unknown.empty() || lora_.targets.empty()) {
    std::string targets;
    for (const std::string_view target : arch::lora_targets())
      targets += (targets.empty() ? "" : ", ") + std::string(target);
    throw InvalidRequest(
        "the configuration's lora.targets: " +
        (unknown.empty() ? "there are none" : "\"" + *unknown.begin() + "\" is no linear of this model") +
        "; they are " + targets + ", the last where it is not the token embedding");
  }
  require_gradients();
}

void TrainModel::set_omega(const OmegaConfig& omega) {
  const auto initial = [&](const arch::AttentionConfig& attention) {
    // A layer with a window was trained on distances within it.
    const int32_t context =
        attention.window > 0 ? std::min(attention.window, config_.trained_context) : config_.trained_context;
    return core::initial_omega(thetas_[attention.rope].theta, {.init = omega.init,
                                                               .stride = static_cast<double>(omega.stride),
                                                               .lanes = std::max(1, omega.lanes),
                                                               .trained_context = context});
  };
  const std::vector<double> first = initial(config_.attention());
  std::vector<double> all;
  bool alike = true;
  for (const arch::LayerConfig& layer : config_.layers) {
    const std::vector<double> row = initial(layer.attention);
    alike = alike && (row == first || !config_.ropes[layer.attention.rope].rotates);
    all.insert(all.end(), row.begin(), row.end());
  }
  omega_ = torch::tensor(alike ? first : all, torch::kFloat64)
               .to(torch::kFloat32)
               .reshape({-1, static_cast<int64_t>(first.size())});
  omega_start_ = {.init = omega.init, .stride = omega.stride};
  if (omega.learn) learn_omega(omega.per_layer);
}

void TrainModel::learn_omega(bool per_layer) {
  const bool spread = per_layer && omega_.size(0) == 1;
  omega_ = omega_.detach().repeat({spread ? config_.n_layer() : 1, 1});
  omega_.set_requires_grad(true);
}

void TrainModel::set_omega(const Tensor& omega) {
  const bool learn = omega_.requires_grad();
  omega_ = omega.detach().clone();
  omega_.set_requires_grad(learn);
}

void TrainModel::for_each_tensor(const std::function<void(int32_t layer, Tensor&)>& visit) {
  const auto visit_defined = [&](int32_t layer, Tensor& tensor) {
    if (tensor.defined()) visit(layer, tensor);
  };
  const auto visit_linear = [&](int32_t layer, TrainLinear& linear) {
    for (Tensor* tensor : {&linear.weight, &linear.bias, &linear.lora_a, &linear.lora_b})
      visit_defined(layer, *tensor);
  };
  visit_defined(-1, omega_);
  for (const arch::TensorSpec& spec : arch::tensor_table(config_)) {
    if (spec.bias) continue;  // comes with its linear
    if (spec.linear) {
      visit_linear(spec.layer, linear_at(spec));
    } else {
      visit_defined(spec.layer, vector_at(spec));
    }
  }
}

void TrainModel::to(torch::Device device) {
  for_each_tensor([&](int32_t, Tensor& tensor) {
    const bool trained = tensor.requires_grad();
    tensor = tensor.detach().to(device).set_requires_grad(trained);
  });
}

TrainModel TrainModel::copy_frozen() const {
  TrainModel copy = *this;
  copy.for_each_tensor([](int32_t, Tensor& tensor) {
    tensor = tensor.requires_grad() ? tensor.detach().clone() : tensor.detach();
  });
  return copy;
}

void TrainModel::set_compute_type(ComputeType type) {
  compute_type_ = type;
  frozen_ = keeps_base();
  if (!frozen_) return;
  const auto scalar = type == ComputeType::bf16 ? torch::kBFloat16 : torch::kFloat32;
  const auto join = [&](std::initializer_list<TrainLinear*> parts) {
    std::vector<Tensor> weights;
    for (const TrainLinear* part : parts) weights.push_back(part->weight.detach().to(scalar));
    Tensor joined = weights.size() == 1 ? weights[0] : torch::cat(weights);
    int64_t first = 0;
    for (TrainLinear* part : parts) {
      const int64_t rows = part->weight.size(0);
      part->weight = joined.narrow(0, first, rows);
      first += rows;
    }
    return joined;
  };
  for (TrainLayer& layer : layers_) {
    layer.frozen_qkv = join({&layer.attn_q, &layer.attn_k, &layer.attn_v});
    layer.frozen_gate_up = join({&layer.ffn_gate, &layer.ffn_up});
    join({&layer.attn_output});
    join({&layer.ffn_down});
  }
  if (output_.lora_a.defined()) return;
  // Where the embedding is the output as well, it is kept once.
  Tensor& output = output_.weight.defined() ? output_.weight : token_embd_;
  output = frozen_output_ = output.detach().to(scalar);
}

}  // namespace lanerope::train
