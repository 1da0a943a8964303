// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "lanerope/engine.h"
#include "tests/support/engine_run.h"
#include "train/train_model.h"

namespace lanerope::train {

// What the trainer and the engine say of the same groups.
using LaneScores = std::vector<std::vector<double>>;  // [lane][predicted token] log p

// How far apart two log-probabilities may be that are sums in another order: with cells of f32, and with the
// kernels' f16, which round keys and values to 11 bits.
constexpr double same = 1e-3;
constexpr double same_in_f16 = 8e-3;

// The gradient of a weight, which the loss has been differentiated for, against differences of the loss along
// a random direction.
inline void expect_slope(const torch::Tensor& weight, const std::function<torch::Tensor()>& loss,
                         const std::string& name) {
  const torch::NoGradGuard no_gradients;
  const torch::Tensor direction = torch::randn_like(weight);
  const double slope = (weight.grad() * direction).sum().item<double>();
  const double size = 2e-3 / direction.norm().item<double>() * std::max(1.0, weight.norm().item<double>());
  const auto loss_at = [&](double place) {
    weight.add_(direction, place);
    const double value = loss().item<double>();
    weight.add_(direction, -place);
    return value;
  };
  const double measured = (loss_at(size) - loss_at(-size)) / (2 * size);
  EXPECT_NEAR(measured, slope, 0.02 * std::abs(slope) + 2e-3) << name;
}

// Lanes of unequal lengths, the first token of each a tag. One that ended is still seen by the others.
inline TokenGroup ragged_group(int32_t n_lanes, uint32_t seed) {
  TokenGroup group{.prompt = support::some_tokens(5 + 3 * n_lanes, seed)};
  for (int32_t m = 0; m < n_lanes; ++m)
    group.lanes.push_back({.tokens = support::some_tokens(11 - (4 * m) % 9, seed + 10 + m), .n_forced = 1});
  return group;
}

inline std::vector<TokenGroup> ragged_groups() {
  std::vector<TokenGroup> groups = {ragged_group(1, 1), ragged_group(2, 2), ragged_group(4, 3)};
  // Lanes that stand in the batch in another order than that of their numbers.
  groups.push_back(ragged_group(4, 4));
  groups.back().lane_index = {2, 0, 3, 1};
  return groups;
}

// By the trainer: all groups in one batch.
inline LaneScores trainer_scores(const TrainModel& model, const std::vector<TokenGroup>& groups,
                                 const BatchOptions& options = {}) {
  const torch::NoGradGuard no_gradients;
  const LaneBatch batch = make_lane_batch(groups, options);
  const torch::Tensor scores = model.log_probabilities(batch);
  LaneScores lanes(static_cast<size_t>(batch.n_lanes()));
  for (int64_t i = 0; i < scores.size(0); ++i)
    lanes[batch.target_lanes[i].item<int64_t>()].push_back(scores[i].item<double>());
  return lanes;
}

// By the engine: a group at a time, its cells of f32 where the back end has them.
inline LaneScores engine_scores(const std::shared_ptr<const Model>& model,
                                const std::vector<TokenGroup>& groups, const Coupling& coupling,
                                SleepTokens sleep = {}) {
  const KvType cells = model->info().back_end == name(BackEnd::kernels) ? KvType::f16 : KvType::f32;
  LaneScores all;
  for (const TokenGroup& group : groups) {
    std::vector<size_t> place(group.lanes.size());  // of lane m in the group
    std::iota(place.begin(), place.end(), 0);
    for (size_t i = 0; i < group.lane_index.size(); ++i) place[group.lane_index[i]] = i;
    ScoreRequest request{.prompt_tokens = group.prompt, .coupling = coupling, .sleep = sleep};
    for (const size_t i : place) request.lanes.push_back(group.lanes[i].tokens);
    Engine engine(model, {.kv_cells = 512, .kv_type = cells});
    const ScoreResult result = engine.score(request);
    LaneScores lanes(group.lanes.size());
    for (size_t m = 0; m < place.size(); ++m) {
      for (size_t t = group.lanes[place[m]].n_forced; t < result.lanes[m].size(); ++t)
        lanes[place[m]].push_back(result.lanes[m][t].logprob);
    }
    all.insert(all.end(), lanes.begin(), lanes.end());
  }
  return all;
}

inline double largest_difference(const LaneScores& a, const LaneScores& b) {
  EXPECT_EQ(a.size(), b.size());
  double worst = 0;
  for (size_t m = 0; m < a.size(); ++m) {
    EXPECT_EQ(a[m].size(), b[m].size()) << "lane " << m;
    for (size_t t = 0; t < a[m].size(); ++t) worst = std::max(worst, std::abs(a[m][t] - b[m][t]));
  }
  return worst;
}

}  // namespace lanerope::train
