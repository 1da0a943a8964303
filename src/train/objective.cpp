// SPDX-License-Identifier: Apache-2.0
#include "train/objective.h"

#include <torch/torch.h>

#include "train/group_source.h"

namespace lanerope::train {

namespace {

using torch::Tensor;

class Likelihood : public Objective {
 public:
  Likelihood(const BatchOptions& options, torch::Device device) : options_(options), device_(device) {}

  BatchLoss loss(const TrainModel& model, std::span<const TokenGroup> groups) override {
    const LaneBatch batch = make_lane_batch(groups, options_).to(device_);
    const Tensor sum = model.makes_no_logits()
                           ? -model.log_probabilities(batch).sum()
                           : torch::nn::functional::cross_entropy(
                                 model.logits(batch), batch.targets,
                                 torch::nn::functional::CrossEntropyFuncOptions().reduction(torch::kSum));
    return {.sum = sum, .count = batch.targets.size(0)};
  }

 private:
  BatchOptions options_;
  torch::Device device_;
};

// Share of rows that are set; of each row index, whether all its members are.
Tensor all_of(const Tensor& member_is, const Tensor& index, int64_t n) {
  const Tensor wrong = torch::zeros({n}, torch::kFloat32).index_add_(0, index, 1 - member_is);
  return (wrong == 0).to(torch::kFloat32);
}

}  // namespace

BatchOptions batch_options(const TrainModel& model, const TrainConfig& config) {
  const bool bridges = model.config().bridge.any();
  return {.visibility = config.visibility,
          .joint = config.joint && !bridges,
          .bridged = config.joint && bridges,
          .prompt_lane = config.prompt_lane};
}

std::unique_ptr<Objective> make_likelihood(const BatchOptions& options, torch::Device device) {
  return std::make_unique<Likelihood>(options, device);
}

DevResult measure(const TrainModel& model, std::span<const TokenGroup> groups, const BatchOptions& options,
                  torch::Device device) {
  const torch::NoGradGuard no_gradients;
  // Logits of 150,000 tokens a row are large: few at a time, and no copy of all of them.
  constexpr int64_t batch_tokens = 512;
  constexpr int64_t rows_at_once = 64;
  DevResult sum;
  double n_tokens = 0;
  double n_lanes = 0;
  for (const auto part : split_batches(groups, batch_tokens)) {
    const LaneBatch batch = make_lane_batch(part, options);
    const Tensor logits = model.logits(batch.to(device));
    std::vector<Tensor> sums;
    for (const Tensor& rows : logits.split(rows_at_once)) sums.push_back(rows.logsumexp(-1));
    const Tensor targets = batch.targets.to(device);
    const Tensor log_probabilities =
        (logits.gather(1, targets.unsqueeze(1)).squeeze(1) - torch::cat(sums)).cpu();
    const Tensor right = (logits.argmax(-1) == targets).to(torch::kFloat32).cpu();
    const Tensor lanes = all_of(right, batch.target_lanes, batch.n_lanes());
    sum.loss -= log_probabilities.sum().item<double>();
    sum.tokens += right.sum().item<double>();
    sum.lanes += lanes.sum().item<double>();
    sum.groups += all_of(lanes, batch.lane_groups, batch.n_groups).sum().item<double>();
    n_tokens += static_cast<double>(batch.targets.size(0));
    n_lanes += static_cast<double>(batch.n_lanes());
  }
  return {.loss = sum.loss / n_tokens,
          .tokens = sum.tokens / n_tokens,
          .lanes = sum.lanes / n_lanes,
          .groups = sum.groups / static_cast<double>(groups.size()),
          .n_tokens = n_tokens,
          .n_lanes = n_lanes,
          .n_groups = static_cast<double>(groups.size())};
}

}  // namespace lanerope::train
