// SPDX-License-Identifier: Apache-2.0
// The blocks through which the lanes of a group that are at one step exchange their hidden states.
#include <torch/torch.h>

#include <cmath>
#include <limits>

#include "train/train_model.h"
#include "train/train_pass.h"

namespace lanerope::train {

using torch::Tensor;

void TrainModel::add_bridge(const BridgeTraining& bridge, uint64_t seed) {
  config_.bridge = {.n_head = bridge.heads, .head_dim = bridge.head_dim, .every = bridge.every};
  bridge_alone_ = bridge.alone;
  auto generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  const auto width = int64_t{config_.bridge.width()};
  const auto matrix = [&](int64_t n_out, int64_t n_in) {
    return TrainLinear{.weight =
                           torch::randn({n_out, n_in}, generator) / std::sqrt(static_cast<double>(n_in))};
  };
  for (int32_t i = 0; i < config_.n_layer(); ++i) {
    if (!config_.bridge.behind(i)) continue;
    TrainLayer& layer = layers_[i];
    layer.bridge_norm = torch::ones({config_.n_embd});
    layer.bridge_q = matrix(width, config_.n_embd);
    layer.bridge_k = matrix(width, config_.n_embd);
    layer.bridge_v = matrix(width, config_.n_embd);
    layer.bridge_output = {.weight =
                               torch::zeros({config_.n_embd, width})};  // lanes begin as independent ones
  }
  require_gradients();
}

void TrainModel::learn_bridge_alone() {
  bridge_alone_ = true;
  require_gradients();
}

void TrainModel::adopt(const TrainModel& trained) {
  auto& other = const_cast<TrainModel&>(trained);
  config_.bridge = other.config_.bridge;
  lora_ = other.lora_;
  omega_ = other.omega_;
  omega_start_ = other.omega_start_;
  for (const arch::TensorSpec& spec : arch::tensor_table(config_)) {
    const bool of_bridge = arch::is_of_bridge(spec.role);
    if (spec.linear) {
      TrainLinear& linear = linear_at(spec);
      const TrainLinear& from = other.linear_at(spec);
      if (of_bridge) linear = from;
      linear.lora_a = from.lora_a;
      linear.lora_b = from.lora_b;
    } else if (of_bridge) {
      vector_at(spec) = other.vector_at(spec);
    }
  }
}

// Steps that fewer lanes have than others are filled up; what is there to fill is heard by nobody and goes
// nowhere.
Tensor TrainModel::bridge(const TrainLayer& layer, const Tensor& x, const Rotated& t) const {
  const LaneBatch& batch = *t.batch;
  const int64_t n_sets = batch.bridge_rows.size(0);
  const int64_t n_lanes = batch.bridge_rows.size(1);
  const arch::BridgeConfig& config = config_.bridge;
  const Tensor rows = batch.bridge_rows.reshape({-1});  // (n_sets * n_lanes)
  const Tensor h = normed(x.index_select(0, rows), layer.bridge_norm);
  const Tensor all = linear({&layer.bridge_q, &layer.bridge_k, &layer.bridge_v}, Tensor(), h, t);
  const auto heads = [&](const Tensor& part) {  // (n_sets, n_head, n_lanes, head_dim)
    return part.reshape({n_sets, n_lanes, config.n_head, config.head_dim}).transpose(1, 2);
  };
  const std::vector<Tensor> parts = all.chunk(3, -1);
  const Tensor scores = torch::matmul(heads(parts[0]), heads(parts[1]).transpose(2, 3)) /
                        std::sqrt(static_cast<double>(config.head_dim));
  const Tensor nobody = batch.bridge_there.logical_not().reshape({n_sets, 1, 1, n_lanes});
  const Tensor shares =
      torch::softmax(scores.masked_fill(nobody, -std::numeric_limits<double>::infinity()), -1);
  const Tensor gathered =
      torch::matmul(shares, heads(parts[2])).transpose(1, 2).reshape({n_sets * n_lanes, config.width()});
  const Tensor y = linear({&layer.bridge_output}, Tensor(), gathered, t);  // (n_sets * n_lanes, n_embd)
  const Tensor there = batch.bridge_there.reshape({-1}).nonzero().squeeze(1);
  return x.index_add(0, rows.index_select(0, there), y.index_select(0, there));
}

}  // namespace lanerope::train
