// SPDX-License-Identifier: Apache-2.0
#include "train/train_model.h"

#include <torch/torch.h>

#include <cmath>
#include <set>

#include "core/lane_rotation.h"
#include "lanerope/errors.h"
#include "train/attention/row_operations.h"

namespace lanerope::train {

using torch::Tensor;

namespace {

PairAngles angles_of(const Tensor& angle) {
  const torch::NoGradGuard no_gradients;  // rotate_pairs brings them to `angle`
  return {.angle = angle.requires_grad() ? angle : Tensor(), .cos = angle.cos(), .sin = angle.sin()};
}

Tensor random(std::vector<int64_t> sizes, double deviation, torch::Generator& generator) {
  return torch::randn(sizes, generator) * deviation;
}

}  // namespace

// What every row is rotated by, and where adapters work.
struct TrainModel::Rotated {
  std::vector<PairAngles> token;  // [ropes of the config]
  std::vector<PairAngles> lane;   // [ropes] the token's and the lane's angle together
  const LaneBatch* batch = nullptr;
  Tensor adapter_gate = {};  // (n_rows, 1) undefined: everywhere
  AdapterUse use = AdapterUse::on;
};

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

void TrainModel::require_gradients() {
  for (auto& [name, tensor] : parameters()) {
    const bool lora = name.ends_with(".lora_a") || name.ends_with(".lora_b");
    tensor.set_requires_grad(name != "omega" && (lora || lora_.rank == 0));
  }
}

void TrainModel::add_lora(const LoraConfig& lora, uint64_t seed) {
  lora_ = lora;
  if (lora_.alpha == 0) lora_.alpha = 2 * static_cast<float>(lora_.rank);
  auto generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  std::set<std::string> unknown(lora_.targets.begin(), lora_.targets.end());
  for_each_linear([&](const arch::TensorSpec& spec, TrainLinear& linear) {
    const std::string stem(arch::stem(spec.role));
    if (std::ranges::find(lora_.targets, stem) == lora_.targets.end()) return;
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
  if (omega.learn) learn_omega(omega.per_layer);
}

void TrainModel::learn_omega(bool per_layer) {
  const bool spread = per_layer && omega_.size(0) == 1;
  omega_ = omega_.detach().repeat({spread ? config_.n_layer() : 1, 1});
  omega_.set_requires_grad(true);
}

void TrainModel::set_omega(Tensor omega) {
  const bool learn = omega_.requires_grad();
  omega_ = omega.detach().clone();
  omega_.set_requires_grad(learn);
}

void TrainModel::for_each_tensor(const std::function<void(Tensor&)>& visit) {
  const auto visit_defined = [&](Tensor& tensor) {
    if (tensor.defined()) visit(tensor);
  };
  const auto visit_linear = [&](TrainLinear& linear) {
    for (Tensor* tensor : {&linear.weight, &linear.bias, &linear.lora_a, &linear.lora_b})
      visit_defined(*tensor);
  };
  visit_defined(omega_);
  for (const arch::TensorSpec& spec : arch::tensor_table(config_)) {
    if (spec.bias) continue;  // comes with its linear
    if (spec.linear) {
      visit_linear(linear_at(spec));
    } else {
      visit_defined(vector_at(spec));
    }
  }
}

void TrainModel::to(torch::Device device) {
  for_each_tensor([&](Tensor& tensor) {
    const bool trained = tensor.requires_grad();
    tensor = tensor.detach().to(device).set_requires_grad(trained);
  });
}

TrainModel TrainModel::copy_frozen() const {
  TrainModel copy = *this;
  copy.for_each_tensor(
      [](Tensor& tensor) { tensor = tensor.requires_grad() ? tensor.detach().clone() : tensor.detach(); });
  return copy;
}

// Linears that read the same input multiply as one: (n, n_in) to (n, all n_out).
Tensor TrainModel::linear(const std::vector<const TrainLinear*>& parts, const Tensor& x,
                          const Rotated& t) const {
  std::vector<Tensor> weights;
  std::vector<Tensor> biases;
  bool lora = false;
  for (const TrainLinear* part : parts) {
    weights.push_back(part->weight);
    if (part->bias.defined()) biases.push_back(part->bias);
    lora = lora || part->lora_a.defined();
  }
  Tensor weight = weights.size() == 1 ? weights[0] : torch::cat(weights);
  const Tensor bias = biases.empty() ? Tensor() : biases.size() == 1 ? biases[0] : torch::cat(biases);
  const bool half = compute_type_ == ComputeType::bf16;
  const auto cast = [&](const Tensor& tensor) { return half ? tensor.to(torch::kBFloat16) : tensor; };
  const Tensor input = cast(x);
  Tensor y =
      half ? torch::linear(input, cast(weight)).to(torch::kFloat32) : torch::linear(input, weight, bias);
  if (half && bias.defined()) y = y + bias;
  if (!lora || t.use == AdapterUse::off) return y;

  std::vector<Tensor> additions;
  for (const TrainLinear* part : parts) {
    additions.push_back(part->lora_a.defined()
                            ? correction(*part, input, t.adapter_gate)
                            : torch::zeros({x.size(0), part->weight.size(0)}, y.options()));
  }
  return y + (additions.size() == 1 ? additions[0] : torch::cat(additions, -1));
}

Tensor TrainModel::correction(const TrainLinear& part, const Tensor& x, const Tensor& gate) const {
  Tensor inner = torch::linear(x, part.lora_a.to(x.dtype()));
  if (gate.defined()) inner = inner * gate.to(inner.dtype());
  const double lora_scale = lora_.alpha / static_cast<double>(lora_.rank);
  return lora_scale * torch::linear(inner, part.lora_b.to(x.dtype())).to(torch::kFloat32);
}

Tensor TrainModel::normed(const Tensor& x, const Tensor& weight) const {
  return weight.defined() ? rms_norm(x, weight, config_.rms_epsilon) : x;
}

Tensor TrainModel::attention(const TrainLayer& layer, const arch::AttentionConfig& config, const Tensor& x,
                             const Rotated& t) const {
  const int64_t n = x.size(0);
  const int64_t head_dim = config.head_dim;
  const Tensor all = linear({&layer.attn_q, &layer.attn_k, &layer.attn_v}, x, t);
  std::vector<Tensor> parts =
      all.split_with_sizes({config.query_width(), config.kv_width(), config.kv_width()}, -1);
  if (config.qk_norm == arch::QkNorm::whole_row) {
    parts[0] = normed(parts[0].contiguous(), layer.attn_q_norm);
    parts[1] = normed(parts[1].contiguous(), layer.attn_k_norm);
  }
  Tensor q = parts[0].reshape({n, config.n_head, head_dim});
  Tensor k = parts[1].reshape({n, config.n_head_kv, head_dim});
  const Tensor v = parts[2].reshape({n, config.n_head_kv, head_dim});
  if (config.qk_norm == arch::QkNorm::per_head) {
    q = normed(q, layer.attn_q_norm);
    k = normed(k, layer.attn_k_norm);
  }
  if (config_.temperature_scale != 0) {
    const Tensor steps = torch::floor(t.batch->positions / config_.temperature_length);
    q = q * (1 + config_.temperature_scale * torch::log1p(steps)).reshape({n, 1, 1});
  }
  AttentionOperands operands{.q_prompt = q, .q_lane = q, .k = k, .v = v};
  if (config_.ropes[config.rope].rotates) {
    operands.q_prompt = rotate_pairs(q, t.token[config.rope]);
    operands.q_lane = t.batch->rotated ? rotate_pairs(q, t.lane[config.rope]) : operands.q_prompt;
    operands.k = rotate_pairs(k, t.lane[config.rope]);
  }
  const double magnitude = thetas_[config.rope].magnitude;
  const Tensor out = lane_attention(operands, t.batch->attention,
                                    {.scale = magnitude * magnitude * static_cast<double>(config.scale),
                                     .cap = config.score_cap,
                                     .window = config.window});
  return linear({&layer.attn_output}, out.reshape({n, config.query_width()}), t);
}

Tensor TrainModel::feed_forward(const TrainLayer& layer, const Tensor& x, const Rotated& t) const {
  const Tensor both = linear({&layer.ffn_gate, &layer.ffn_up}, x, t);  // (n, 2 * n_ffn)
  if (config_.ffn().activation == arch::Activation::silu) return linear({&layer.ffn_down}, swiglu(both), t);
  const std::vector<Tensor> halves = both.chunk(2, 1);
  return linear({&layer.ffn_down}, at::gelu(halves[0], "tanh") * halves[1], t);
}

Tensor TrainModel::logits(const LaneBatch& batch, AdapterUse use) const {
  const auto options = token_embd_.options().requires_grad(false);
  std::vector<Tensor> token_angles;  // of each rope (n_rows, head_dim / 2)
  Rotated rotated{.token = {}, .lane = {}, .batch = &batch, .use = use};
  for (const core::Theta& theta : thetas_) {
    token_angles.push_back(batch.positions.unsqueeze(1) *
                           torch::tensor(theta.theta, torch::kFloat64).to(options));
    rotated.token.push_back(angles_of(token_angles.back()));
  }
  rotated.lane = rotated.token;
  if (lora_.rank > 0 && !lora_.on_prompt) rotated.adapter_gate = batch.in_lane;

  Tensor x = torch::embedding(token_embd_, batch.ids);  // (n_rows, n_embd)
  if (config_.embedding_scale != 1.0F) x = x * config_.embedding_scale;
  const auto added = [&](const Tensor& y) {
    return config_.residual_scale == 1.0F ? y : y * static_cast<double>(config_.residual_scale);
  };
  const auto scaled = [&](Tensor y) {
    if (config_.logit_scale != 1.0F) y = y * static_cast<double>(config_.logit_scale);
    const double cap = config_.logit_cap;
    return cap > 0 ? cap * torch::tanh(y / cap) : y;
  };
  for (size_t i = 0; i < layers_.size(); ++i) {
    const TrainLayer& layer = layers_[i];
    const arch::AttentionConfig& of = config_.layers[i].attention;
    if (batch.rotated && (i == 0 || omega_.size(0) > 1)) {
      const Tensor lane_angle = batch.lanes.unsqueeze(1) * omega_[omega_.size(0) > 1 ? i : 0];
      for (size_t r = 0; r < thetas_.size(); ++r) rotated.lane[r] = angles_of(token_angles[r] + lane_angle);
    }
    x = x +
        added(normed(attention(layer, of, normed(x, layer.attn_norm), rotated), layer.post_attention_norm));
    x = x + added(normed(feed_forward(layer, normed(x, layer.ffn_norm), rotated), layer.post_ffw_norm));
  }
  const Tensor last = normed(x.index_select(0, batch.target_rows), output_norm_);
  const Tensor product = torch::linear(last, output_.weight.defined() ? output_.weight : token_embd_);
  if (!output_.lora_a.defined() || use == AdapterUse::off) return scaled(product);
  const Tensor& gate = rotated.adapter_gate;
  return scaled(product +
                correction(output_, last, gate.defined() ? gate.index_select(0, batch.target_rows) : gate));
}

Tensor TrainModel::log_probabilities(const LaneBatch& batch, AdapterUse use) const {
  const Tensor all = torch::log_softmax(logits(batch, use), -1);
  return all.gather(1, batch.targets.unsqueeze(1)).squeeze(1);
}

}  // namespace lanerope::train
