// SPDX-License-Identifier: Apache-2.0
#include "train/optimizer.h"

#include <torch/torch.h>

#include <cmath>
#include <numbers>

#include "lanerope/errors.h"

namespace lanerope::train {

using torch::Tensor;

double schedule(const TrainConfig& config, int64_t step) {
  const double warm = config.warmup > 0
                          ? std::min(1.0, static_cast<double>(step + 1) / static_cast<double>(config.warmup))
                          : 1;
  const double done = static_cast<double>(step) / static_cast<double>(config.steps);
  const double cosine = 0.5 * (1 + std::cos(std::numbers::pi * std::min(1.0, done)));
  return warm * (config.final_share + (1 - config.final_share) * cosine);
}

Optimizer::Optimizer(const std::map<std::string, Tensor>& parameters, const TrainConfig& config)
    : clip_(config.clip), config_(config) {
  Family matrices{.learning_rate = config.learning_rate, .weight_decay = config.weight_decay};
  Family vectors{.learning_rate = config.learning_rate};
  Family omega{.learning_rate = config.omega.learning_rate};
  for (const auto& [name, tensor] : parameters) {
    Family& family = name == "omega" ? omega : tensor.dim() >= 2 ? matrices : vectors;
    family.slots.push_back({.name = name,
                            .parameter = tensor,
                            .mean = torch::zeros_like(tensor).set_requires_grad(false),
                            .square = torch::zeros_like(tensor).set_requires_grad(false),
                            .counter = torch::zeros({}, tensor.options().requires_grad(false))});
  }
  for (Family* family : {&matrices, &vectors, &omega}) {
    if (!family->slots.empty()) families_.push_back(std::move(*family));
  }
}

void Optimizer::for_each(const std::function<void(Slot&)>& visit) {
  for (Family& family : families_) {
    for (Slot& slot : family.slots) visit(slot);
  }
}

double Optimizer::step(int64_t step) {
  const torch::NoGradGuard no_gradients;
  std::vector<Tensor> norms;
  for_each([&](Slot& slot) {
    if (!slot.parameter.grad().defined()) slot.parameter.mutable_grad() = torch::zeros_like(slot.parameter);
    norms.push_back(slot.parameter.grad().norm());
  });
  const double norm = torch::stack(norms).norm().item<double>();
  // A step that would spoil every weight is passed over.
  if (!std::isfinite(norm)) {
    for_each([](Slot& slot) { slot.parameter.mutable_grad().reset(); });
    return norm;
  }
  const double share = schedule(config_, step);
  for (Family& family : families_) {
    std::vector<Tensor> parameters, gradients, means, squares, counters;
    for (Slot& slot : family.slots) {
      parameters.push_back(slot.parameter);
      gradients.push_back(norm > clip_ ? slot.parameter.grad() * (clip_ / norm) : slot.parameter.grad());
      means.push_back(slot.mean);
      squares.push_back(slot.square);
      counters.push_back(slot.counter.add_(1));
    }
    at::_fused_adamw_(parameters, gradients, means, squares, {}, counters, share * family.learning_rate, 0.9,
                      0.95, family.weight_decay, 1e-8, false, false);
  }
  for_each([](Slot& slot) { slot.parameter.mutable_grad().reset(); });
  return norm;
}

std::map<std::string, Tensor> Optimizer::state() const {
  std::map<std::string, Tensor> state;
  const_cast<Optimizer*>(this)->for_each([&](Slot& slot) {
    state[slot.name + ".mean"] = slot.mean;
    state[slot.name + ".square"] = slot.square;
    state[slot.name + ".counter"] = slot.counter;
  });
  return state;
}

void Optimizer::restore(const std::map<std::string, Tensor>& state) {
  const torch::NoGradGuard no_gradients;
  const auto put = [&](const std::string& name, Tensor& target) {
    const auto found = state.find(name);
    if (found == state.end() || found->second.sizes() != target.sizes())
      throw InvalidRequest("the checkpoint belongs to another configuration; start a new run");
    target.copy_(found->second);
  };
  for_each([&](Slot& slot) {
    put(slot.name + ".mean", slot.mean);
    put(slot.name + ".square", slot.square);
    put(slot.name + ".counter", slot.counter);
  });
}

}  // namespace lanerope::train
