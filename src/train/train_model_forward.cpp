// SPDX-License-Identifier: Apache-2.0
// The decoder's forward pass; libtorch finds the way back.
#include <torch/torch.h>

#include "train/frozen_linear.h"
#include "train/recompute.h"
#include "train/train_pass.h"

namespace lanerope::train {

using torch::Tensor;

namespace {

PairAngles angles_of(const Tensor& angle) {
  const torch::NoGradGuard no_gradients;  // rotate_pairs brings them to `angle`
  return {.angle = angle.requires_grad() ? angle : Tensor(), .cos = angle.cos(), .sin = angle.sin()};
}

}  // namespace

Tensor TrainModel::frozen_product(const std::vector<const TrainLinear*>& parts, const Tensor& weight,
                                  const Tensor& x, const Rotated& t) const {
  FrozenLinear product{.weight = weight, .gate = t.adapter_gate};
  if (lora_.rank > 0) product.scale = lora_.alpha / static_cast<double>(lora_.rank);
  std::vector<Tensor> biases;
  int64_t first = 0;
  for (const TrainLinear* part : parts) {
    if (part->bias.defined()) biases.push_back(part->bias);
    if (part->lora_a.defined() && t.use == AdapterUse::on)
      product.pairs.push_back({.a = part->lora_a, .b = part->lora_b, .first_row = first});
    first += part->weight.size(0);
  }
  if (!biases.empty()) product.bias = biases.size() == 1 ? biases[0] : torch::cat(biases);
  return frozen_linear(x, product);
}

Tensor TrainModel::linear(const std::vector<const TrainLinear*>& parts, const Tensor& frozen, const Tensor& x,
                          const Rotated& t) const {
  if (frozen_ && frozen.defined()) return frozen_product(parts, frozen, x, t);
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
  additions.reserve(parts.size());
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
  const Tensor all = linear({&layer.attn_q, &layer.attn_k, &layer.attn_v}, layer.frozen_qkv, x, t);
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
    if (t.batch->prompt_lane == PromptLane::first) operands.q_prompt = operands.q_lane;
    operands.k = rotate_pairs(k, t.lane[config.rope]);
  }
  const double magnitude = thetas_[config.rope].magnitude;
  const Tensor out = lane_attention(operands, t.batch->attention,
                                    {.scale = magnitude * magnitude * static_cast<double>(config.scale),
                                     .cap = config.score_cap,
                                     .window = config.window});
  return linear({&layer.attn_output}, layer.attn_output.weight, out.reshape({n, config.query_width()}), t);
}

Tensor TrainModel::feed_forward(const TrainLayer& layer, const Tensor& x, const Rotated& t) const {
  const Tensor both = linear({&layer.ffn_gate, &layer.ffn_up}, layer.frozen_gate_up, x, t);  // (n, 2 n_ffn)
  if (config_.ffn().activation == arch::Activation::silu) {
    const auto kept =
        frozen_ && layer.frozen_gate_up.defined() ? layer.frozen_gate_up.scalar_type() : torch::kFloat32;
    return linear({&layer.ffn_down}, layer.ffn_down.weight, swiglu(both, kept), t);
  }
  const std::vector<Tensor> halves = both.chunk(2, 1);
  return linear({&layer.ffn_down}, layer.ffn_down.weight, at::gelu(halves[0], "tanh") * halves[1], t);
}

TrainModel::Rotated TrainModel::rotated_by(const LaneBatch& batch, AdapterUse use) const {
  const auto options = output_norm_.options().requires_grad(false);
  Rotated rotated{.batch = std::make_shared<const LaneBatch>(batch), .use = use};
  for (const core::Theta& of : thetas_) {
    const Tensor theta = torch::tensor(of.theta, torch::kFloat64).to(options);
    rotated.token_angles.push_back(batch.positions.unsqueeze(1) * theta);
    rotated.token.push_back(angles_of(rotated.token_angles.back()));
  }
  rotated.lane = rotated.token;
  if (lora_.rank > 0 && !lora_.on_prompt) rotated.adapter_gate = batch.in_lane;
  return rotated;
}

Tensor TrainModel::layer_output(size_t index, const Tensor& x, const Rotated& t) const {
  const TrainLayer& layer = layers_[index];
  const arch::AttentionConfig& of = config_.layers[index].attention;
  const auto added = [&](const Tensor& y) {
    return config_.residual_scale == 1.0F ? y : y * static_cast<double>(config_.residual_scale);
  };
  const Tensor read =
      x + added(normed(attention(layer, of, normed(x, layer.attn_norm), t), layer.post_attention_norm));
  const Tensor out =
      read + added(normed(feed_forward(layer, normed(read, layer.ffn_norm), t), layer.post_ffw_norm));
  return layer.bridge_norm.defined() && t.batch->bridge_rows.defined() ? bridge(layer, out, t) : out;
}

Tensor TrainModel::recomputed_layer(size_t index, const Tensor& x, const Rotated& t,
                                    const std::vector<Tensor>& trained) const {
  std::vector<Tensor> inputs = {x};
  for (const PairAngles& lane : t.lane) {
    if (lane.angle.defined()) inputs.push_back(lane.angle);  // omega learns
  }
  const auto compute = [this, index, t](const std::vector<Tensor>& now) {
    Rotated here = t;
    size_t next = 1;
    for (PairAngles& lane : here.lane) {
      if (lane.angle.defined()) lane.angle = now[next++];
    }
    return layer_output(index, now[0], here);
  };
  return recomputed(compute, inputs, trained);
}

Tensor TrainModel::last_rows(const LaneBatch& batch, Rotated& rotated) const {
  Tensor x = torch::embedding(token_embd_, batch.ids).to(output_norm_.scalar_type());  // (n_rows, n_embd)
  if (config_.embedding_scale != 1.0F) x = x * config_.embedding_scale;
  const bool recomputes =
      recompute_above_ > 0 && batch.n_rows() > recompute_above_ && torch::GradMode::is_enabled();
  const auto trained = recomputes ? trained_by_layer() : std::vector<std::vector<Tensor>>();
  for (size_t i = 0; i < layers_.size(); ++i) {
    if (batch.rotated && (i == 0 || omega_.size(0) > 1)) {
      const int64_t row = omega_.size(0) > 1 ? static_cast<int64_t>(i) : 0;
      const Tensor lane_angle = batch.lanes.unsqueeze(1) * omega_[row];  // (n_rows, head_dim / 2)
      for (size_t r = 0; r < thetas_.size(); ++r)
        rotated.lane[r] = angles_of(rotated.token_angles[r] + lane_angle);
    }
    x = recomputes ? recomputed_layer(i, x, rotated, trained[i]) : layer_output(i, x, rotated);
  }
  return normed(x.index_select(0, batch.target_rows), output_norm_);
}

Tensor TrainModel::logits_of(const Tensor& last, const LaneBatch& batch, const Rotated& rotated) const {
  const auto scaled = [&](Tensor y) {
    if (config_.logit_scale != 1.0F) y = y * static_cast<double>(config_.logit_scale);
    const double cap = config_.logit_cap;
    return cap > 0 ? cap * torch::tanh(y / cap) : y;
  };
  if (frozen_output_.defined())
    return scaled(torch::linear(last.to(frozen_output_.scalar_type()), frozen_output_).to(torch::kFloat32));
  const Tensor product = torch::linear(last, output_.weight.defined() ? output_.weight : token_embd_);
  if (!output_.lora_a.defined() || rotated.use == AdapterUse::off) return scaled(product);
  const Tensor& gate = rotated.adapter_gate;
  return scaled(product +
                correction(output_, last, gate.defined() ? gate.index_select(0, batch.target_rows) : gate));
}

Tensor TrainModel::logits(const LaneBatch& batch, AdapterUse use) const {
  Rotated rotated = rotated_by(batch, use);
  return logits_of(last_rows(batch, rotated), batch, rotated);
}

Tensor TrainModel::log_probabilities(const LaneBatch& batch, AdapterUse use) const {
  Rotated rotated = rotated_by(batch, use);
  const Tensor last = last_rows(batch, rotated);
  if (makes_no_logits())
    return target_log_probabilities(last, frozen_output_, batch.targets,
                                    static_cast<double>(config_.logit_scale));
  const Tensor all = torch::log_softmax(logits_of(last, batch, rotated), -1);
  return all.gather(1, batch.targets.unsqueeze(1)).squeeze(1);
}

}  // namespace lanerope::train
