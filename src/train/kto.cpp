// SPDX-License-Identifier: Apache-2.0
#include "train/kto.h"

#include <torch/torch.h>

#include <algorithm>
#include <optional>

#include "lanerope/errors.h"

namespace lanerope::train {

namespace {

using torch::Tensor;

// Sum of the targets' log-probabilities for each lane: (n_lanes).
Tensor lane_sums(const Tensor& log_probabilities, const LaneBatch& batch) {
  return torch::zeros({batch.n_lanes()}, log_probabilities.options())
      .index_add(0, batch.target_lanes, log_probabilities);
}

class Kto : public Objective {
 public:
  Kto(const TrainModel& model, const TrainConfig& config, ReferenceCoupling mask, torch::Device device)
      : config_(config.kto),
        options_(batch_options(model, config)),
        reference_options_(options_),
        device_(device) {
    if (mask == ReferenceCoupling::independent) reference_options_.joint = reference_options_.bridged = false;
    // An adapter can be switched off to have the model as it was; bridges, weights and an omega that learn
    // cannot.
    const bool switches_off = model.lora().rank > 0 && config.adapter.empty() &&
                              !model.config().bridge.any() && !model.omega().requires_grad();
    if (!switches_off) copy_ = model.copy_frozen();
  }

  BatchLoss loss(const TrainModel& model, std::span<const TokenGroup> groups) override {
    const LaneBatch batch = make_lane_batch(groups, options_).to(device_);
    std::vector<float> labels;
    for (const std::optional<bool>& right : batch.right) {
      if (!right)
        throw InvalidRequest("kto needs a label for every lane; the training data has lanes without");
      labels.push_back(*right ? 1.0F : 0.0F);
    }
    const Tensor right = torch::tensor(labels).to(device_);
    const Tensor reference = reference_sums(model, groups);
    const double z = estimate_kl(model, behind_other_prompts(groups));
    // Last: what it keeps for the way back would lie beside the others' passes.
    const Tensor policy = lane_sums(model.log_probabilities(batch), batch);
    const KtoTerms terms =
        kto_losses({.policy = policy, .reference = reference, .right = right, .z = z}, config_);

    const Tensor margins = (terms.ratios.detach() * (2 * right - 1)).sum();
    const auto count = static_cast<double>(batch.n_lanes());
    return {.sum = terms.losses.sum(),
            .count = batch.n_lanes(),
            .extra = {{"kl", z * count},
                      {"margin", config_.beta * margins.item<double>()},
                      {"right", right.sum().item<double>()}}};
  }

 private:
  Tensor reference_sums(const TrainModel& model, std::span<const TokenGroup> groups) const {
    const torch::NoGradGuard no_gradients;
    const LaneBatch batch = make_lane_batch(groups, reference_options_).to(device_);
    return lane_sums(
        copy_ ? copy_->log_probabilities(batch) : model.log_probabilities(batch, AdapterUse::off), batch);
  }

  double estimate_kl(const TrainModel& model, const std::vector<TokenGroup>& groups) const {
    if (groups.empty()) return 0;
    const torch::NoGradGuard no_gradients;
    const LaneBatch batch = make_lane_batch(groups, options_).to(device_);
    const Tensor policy = lane_sums(model.log_probabilities(batch), batch);
    return std::max(0.0, (policy - reference_sums(model, groups)).mean().item<double>());
  }

  KtoConfig config_;
  BatchOptions options_;
  BatchOptions reference_options_;
  torch::Device device_;
  std::optional<TrainModel> copy_;
};

}  // namespace

KtoTerms kto_losses(const KtoScores& scores, const KtoConfig& config) {
  const Tensor& right = scores.right;
  const Tensor ratios = scores.policy - scores.reference;
  const Tensor desirable = 1 - torch::sigmoid(config.beta * (ratios - scores.z));
  const Tensor undesirable = 1 - torch::sigmoid(config.beta * (scores.z - ratios));
  return {.losses = config.weight_right * right * desirable + config.weight_wrong * (1 - right) * undesirable,
          .ratios = ratios};
}

std::vector<TokenGroup> behind_other_prompts(std::span<const TokenGroup> groups) {
  std::vector<TokenGroup> moved;
  for (size_t i = 0; i < groups.size(); ++i) {
    for (size_t ahead = 1; ahead < groups.size(); ++ahead) {
      const TokenGroup& other = groups[(i + ahead) % groups.size()];
      if (other.prompt == groups[i].prompt) continue;
      moved.push_back(groups[i]);
      moved.back().prompt = other.prompt;
      break;
    }
  }
  return moved;
}

std::unique_ptr<Objective> make_kto(const TrainModel& model, const TrainConfig& config,
                                    ReferenceCoupling mask, torch::Device device) {
  return std::make_unique<Kto>(model, config, mask, device);
}

}  // namespace lanerope::train
