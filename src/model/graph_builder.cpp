// SPDX-License-Identifier: Apache-2.0
#include "model/graph_builder.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <ranges>

namespace lanerope::model {

namespace {

template <typename T>
void set_data(ggml_tensor* tensor, const std::vector<T>& data) {
  ggml_backend_tensor_set(tensor, data.data(), 0, data.size() * sizeof(T));
}

int mode_of(const core::RopeParameters& rope) {
  return rope.pairs == core::RopePairs::halves ? GGML_ROPE_TYPE_NEOX : GGML_ROPE_TYPE_NORMAL;
}

}  // namespace

std::vector<float> frequency_divisors(const core::RopeParameters& first_rope,
                                      std::span<const double> frequencies) {
  std::vector<float> values(frequencies.size());
  for (size_t t = 0; t < values.size(); ++t) {
    const double plain =
        std::pow(static_cast<double>(first_rope.base), -2.0 * static_cast<double>(t) / first_rope.dimensions);
    values[t] = static_cast<float>(plain / frequencies[t]);  // infinite where the pair does not rotate
  }
  return values;
}

kernels::RopeAngles rope_angles(const arch::ModelConfig& config, int32_t index) {
  const core::RopeParameters& rope = config.ropes[index];
  const core::Theta theta = core::effective_theta(rope);
  kernels::RopeAngles angles{
      .pairs = rope.pairs, .n_pairs = rope.dimensions / 2, .base = rope.base, .magnitude = theta.magnitude};
  if (rope.scaling != core::RopeScaling::none || !rope.frequency_factors.empty()) {
    angles.base = config.rope().base;
    angles.divisors = frequency_divisors(config.rope(), theta.theta);
  }
  return angles;
}

GraphBuilder::GraphBuilder(ggml_context* context, ggml_cgraph* graph, const Parts& parts)
    : context_(context), graph_(graph), parts_(parts), adapter_scales_(parts.batch.adapter_scales.size()) {}

ggml_tensor* GraphBuilder::input(ggml_type type, std::array<int64_t, 2> ne, Fill fill) {
  ggml_tensor* tensor = ggml_new_tensor_2d(context_, type, ne[0], ne[1]);
  ggml_set_input(tensor);
  inputs_.push_back({.tensor = tensor, .fill = std::move(fill)});
  return tensor;
}

ggml_tensor* GraphBuilder::embedding(ggml_tensor* table) {
  ggml_tensor* tokens = input(GGML_TYPE_I32, {batch().n_rows(), 1},
                              [](const Batch& batch, ggml_tensor* t) { set_data(t, batch.tokens); });
  return ggml_get_rows(context_, table, tokens);
}

ggml_tensor* GraphBuilder::rms_norm(ggml_tensor* x, ggml_tensor* weight) {
  return ggml_mul(context_, ggml_rms_norm(context_, x, config().rms_epsilon), weight);
}

ggml_tensor* GraphBuilder::normed(Normed x) {
  if (x.norm == nullptr) return x.x;
  auto& [last, result] = last_normed_;
  if (result == nullptr || last.x != x.x || last.norm != x.norm) {
    last = x;
    result = rms_norm(x.x, x.norm);
  }
  return result;
}

ggml_tensor* GraphBuilder::soft_capped(ggml_tensor* x, SoftCap with) {
  if (with.cap == 0) return with.scale == 1.0F ? x : ggml_scale(context_, x, with.scale);
  return ggml_scale(context_, ggml_tanh(context_, ggml_scale(context_, x, with.scale / with.cap)), with.cap);
}

ggml_tensor* GraphBuilder::linear(const Linear& linear, Normed x, ggml_tensor* residual) {
  return parts_.operations.linear(*this, linear, x, residual);
}

bool GraphBuilder::has_lora(const Linear& linear) const {
  return std::ranges::any_of(linear.lora,
                             [&](const Lora& pair) { return !batch().adapter_scales[pair.adapter].empty(); });
}

ggml_tensor* GraphBuilder::add_lora(const Linear& linear, ggml_tensor* x, ggml_tensor* y) {
  for (const Lora& pair : linear.lora) {
    ggml_tensor* scale = adapter_scale(pair.adapter);
    if (scale == nullptr) continue;
    if (outputs_ != nullptr) scale = ggml_get_rows(context_, scale, outputs_);
    ggml_tensor* low = ggml_mul_mat(context_, pair.a, x);  // [rank, n_rows]
    low = ggml_mul(context_, ggml_scale(context_, low, pair.scale), scale);
    y = ggml_add(context_, y, ggml_mul_mat(context_, pair.b, low));
  }
  return y;
}

QueryKeyValue GraphBuilder::qkv(const LayerWeights& layer, Normed x) {
  return parts_.operations.qkv(*this, layer, x);
}

ggml_tensor* GraphBuilder::rope(const LayerWeights& layer, Normed heads) {
  return parts_.operations.rope(*this, layer, heads);
}

ggml_tensor* GraphBuilder::sum(const LayerWeights& layer, const Sum& of) {
  return parts_.operations.sum(*this, layer, of);
}

ggml_tensor* GraphBuilder::heads(ggml_tensor* x, int32_t head_dim) {
  return ggml_view_3d(context_, x, head_dim, x->ne[0] / head_dim, x->ne[1], head_dim * sizeof(float),
                      x->nb[1], 0);
}

ggml_tensor* GraphBuilder::positions() {
  if (positions_ == nullptr) {
    positions_ = input(GGML_TYPE_I32, {batch().n_rows(), 1},
                       [](const Batch& batch, ggml_tensor* t) { set_data(t, batch.positions); });
  }
  return positions_;
}

ggml_tensor* GraphBuilder::cells() {
  if (cells_ == nullptr) {
    cells_ = input(GGML_TYPE_I64, {batch().n_rows(), 1}, [](const Batch& batch, ggml_tensor* t) {
      set_data(t, std::vector<int64_t>(batch.cells.begin(), batch.cells.end()));
    });
  }
  return cells_;
}

ggml_tensor* GraphBuilder::adapter_scale(int32_t adapter) {
  if (batch().adapter_scales[adapter].empty()) return nullptr;
  ggml_tensor*& scale = adapter_scales_[adapter];
  if (scale == nullptr) {
    scale = input(GGML_TYPE_F32, {1, batch().n_rows()}, [adapter](const Batch& batch, ggml_tensor* t) {
      set_data(t, batch.adapter_scales[adapter]);
    });
  }
  return scale;
}

ggml_tensor* GraphBuilder::all_adapter_scales() {
  if (all_scales_ == nullptr) {
    const auto n_adapters = static_cast<int64_t>(batch().adapter_scales.size());
    all_scales_ = input(GGML_TYPE_F32, {n_adapters, batch().n_rows()},
                        [n_adapters](const Batch& batch, ggml_tensor* t) {
                          std::vector<float> scales(n_adapters * batch.n_rows());
                          for (int64_t a = 0; a < n_adapters; ++a) {
                            const std::vector<float>& of = batch.adapter_scales[a];
                            for (size_t row = 0; row < of.size(); ++row)
                              scales[row * n_adapters + a] = of[row];
                          }
                          set_data(t, scales);
                        });
  }
  if (outputs_ == nullptr) return all_scales_;
  if (output_scales_ == nullptr) output_scales_ = ggml_get_rows(context_, all_scales_, outputs_);
  return output_scales_;
}

ggml_tensor* GraphBuilder::constant_divisors(std::span<const double> frequencies) {
  for (const auto& [known, tensor] : divisors_) {
    if (std::ranges::equal(known, frequencies)) return tensor;
  }
  const std::vector<float> values = frequency_divisors(config().rope(), frequencies);
  ggml_tensor* tensor = input(GGML_TYPE_F32, {static_cast<int64_t>(values.size()), 1},
                              [values](const Batch&, ggml_tensor* t) { set_data(t, values); });
  divisors_.emplace_back(std::vector<double>(frequencies.begin(), frequencies.end()), tensor);
  return tensor;
}

ggml_tensor* GraphBuilder::rotate(ggml_tensor* x, ggml_tensor* row_positions,
                                  std::span<const double> frequencies) {
  return rotate(x, row_positions, constant_divisors(frequencies));
}

ggml_tensor* GraphBuilder::rotate(ggml_tensor* x, ggml_tensor* row_positions, ggml_tensor* divisors) {
  const core::RopeParameters& rope = config().rope();
  return ggml_rope_ext(context_, x, row_positions, divisors, rope.dimensions, mode_of(rope),
                       /*n_ctx_orig=*/0, rope.base, /*freq_scale=*/1, /*ext_factor=*/0, /*attn_factor=*/1,
                       /*beta_fast=*/0, /*beta_slow=*/0);
}

ggml_tensor* GraphBuilder::rotate_by_theta(ggml_tensor* x, int32_t index) {
  const core::RopeParameters& rope = config().ropes[index];
  if (!rope.rotates) return x;
  const kernels::RopeAngles angles = rope_angles(config(), index);
  ggml_tensor* divisors = angles.divisors.empty() ? nullptr : constant_divisors(theta(index).theta);
  return ggml_rope_ext(context_, x, positions(), divisors, rope.dimensions, mode_of(rope), /*n_ctx_orig=*/0,
                       angles.base, /*freq_scale=*/1, /*ext_factor=*/0,
                       /*attn_factor=*/angles.magnitude, /*beta_fast=*/0, /*beta_slow=*/0);
}

ggml_tensor* GraphBuilder::tempered(ggml_tensor* q) {
  const float scale = config().temperature_scale;
  if (scale == 0) return q;
  if (temperatures_ == nullptr) {
    const int32_t length = config().temperature_length;
    temperatures_ = input(GGML_TYPE_F32, {1, batch().n_rows()}, [=](const Batch& batch, ggml_tensor* t) {
      std::vector<float> values;
      for (const int32_t index : batch.positions)
        values.push_back(1.0F + scale * std::log1p(static_cast<float>(index / length)));
      set_data(t, values);
    });
  }
  return ggml_mul(context_, q, ggml_reshape_3d(context_, temperatures_, 1, 1, batch().n_rows()));
}

ggml_tensor* GraphBuilder::attention(const LayerWeights& layer, const QueryKeyValue& qkv) {
  return parts_.operations.attention(*this, layer, qkv);
}

ggml_tensor* GraphBuilder::ffn(const LayerWeights& layer, Normed x) {
  return parts_.operations.ffn(*this, layer, x);
}

ggml_tensor* GraphBuilder::experts(const LayerWeights& layer, Normed x) {
  return parts_.operations.experts(*this, layer, x);
}

ggml_tensor* GraphBuilder::gated(arch::Activation activation, ggml_tensor* gate, ggml_tensor* up) {
  if (activation == arch::Activation::silu) return ggml_swiglu_split(context_, gate, up);
  if (activation == arch::Activation::clamped_silu)
    return ggml_swiglu_oai(context_, gate, up, /*alpha=*/1.702F, /*limit=*/7.0F);
  // gelu(x) = x / 2 * (1 + tanh(z)) = x * sigmoid(2 z), z = sqrt(2 / pi) * (x + 0.044715 x^3). ggml's own
  // looks it up in a table of f16.
  gate = ggml_cont(context_, gate);
  constexpr float twice_root = 1.5957691216057308F;
  ggml_tensor* square =
      ggml_scale_bias(context_, ggml_sqr(context_, gate), twice_root * 0.044715F, twice_root);
  ggml_tensor* share = ggml_sigmoid(context_, ggml_mul(context_, square, gate));
  return ggml_mul(context_, ggml_mul(context_, gate, share), up);
}

bool GraphBuilder::bridges(const LayerWeights& layer) const {
  return layer.bridge_norm != nullptr && !batch().bridges.empty();
}

ggml_tensor* GraphBuilder::bridge(const LayerWeights& layer, Normed x) {
  return parts_.operations.bridge(*this, layer, x);
}

ggml_tensor* GraphBuilder::logits(const Linear& output, Normed x) {
  return parts_.operations.logits(*this, output, x);
}

// Rows that exchange with nobody hear themselves, so that every row hears one; the gate makes nothing of it.
ggml_tensor* GraphBuilder::bridge_mask() {
  if (bridge_mask_ == nullptr) {
    bridge_mask_ =
        input(GGML_TYPE_F32, {batch().n_rows(), batch().n_rows()}, [](const Batch& batch, ggml_tensor* t) {
          const std::vector<int32_t>& bridges = batch.bridges;
          std::vector<float> mask(bridges.size() * bridges.size(), -std::numeric_limits<float>::infinity());
          for (size_t row = 0; row < bridges.size(); ++row) {
            for (size_t other = 0; other < bridges.size(); ++other) {
              const bool heard = bridges[row] < 0 ? row == other : bridges[row] == bridges[other];
              if (heard) mask[row * bridges.size() + other] = 0;
            }
          }
          set_data(t, mask);
        });
  }
  return bridge_mask_;
}

ggml_tensor* GraphBuilder::bridge_gate() {
  if (bridge_gate_ == nullptr) {
    bridge_gate_ = input(GGML_TYPE_F32, {1, batch().n_rows()}, [](const Batch& batch, ggml_tensor* t) {
      std::vector<float> gate;
      for (const int32_t bridge : batch.bridges) gate.push_back(bridge < 0 ? 0.0F : 1.0F);
      set_data(t, gate);
    });
  }
  return bridge_gate_;
}

ggml_tensor* GraphBuilder::keep_outputs(ggml_tensor* x) {
  const bool in_order = std::ranges::equal(batch().outputs, std::views::iota(0, batch().n_rows()));
  if (in_order) return x;
  if (outputs_ == nullptr) {
    outputs_ = input(GGML_TYPE_I32, {static_cast<int64_t>(batch().outputs.size()), 1},
                     [](const Batch& batch, ggml_tensor* t) { set_data(t, batch.outputs); });
  }
  return ggml_get_rows(context_, x, outputs_);
}

void GraphBuilder::expand(ggml_tensor* node) {
  ggml_build_forward_expand(graph_, node);
}

void GraphBuilder::add_mass(AttentionMassNode mass) {
  ggml_set_output(mass.mass);
  expand(mass.mass);
  masses_.push_back(std::move(mass));
}

}  // namespace lanerope::model
