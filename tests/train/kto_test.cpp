// SPDX-License-Identifier: Apache-2.0
#include "train/kto.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "lanerope/errors.h"
#include "tests/support/engine_run.h"
#include "tests/support/random_models.h"
#include "train/model_file.h"

namespace lanerope::train {
namespace {

using torch::Tensor;

// beta 0.1, z 0.5. Right lane: r = -10 + 12 = 2, sigmoid(0.1 * 1.5) = 0.5374298, loss 2 * 0.4625702.
// Wrong lane: r = -8 + 5 = -3, sigmoid(0.1 * 3.5) = 0.5866176, loss 0.5 * 0.4133824.
TEST(KtoLosses, AreThoseOfThePaper) {
  const KtoTerms terms = kto_losses({.policy = torch::tensor({-10.0, -8.0}),
                                     .reference = torch::tensor({-12.0, -5.0}),
                                     .right = torch::tensor({1.0, 0.0}),
                                     .z = 0.5},
                                    {.beta = 0.1, .weight_right = 2, .weight_wrong = 0.5});
  EXPECT_NEAR(terms.ratios[0].item<double>(), 2, 1e-6);
  EXPECT_NEAR(terms.ratios[1].item<double>(), -3, 1e-6);
  EXPECT_NEAR(terms.losses[0].item<double>(), 2 * 0.4625702, 1e-6);
  EXPECT_NEAR(terms.losses[1].item<double>(), 0.5 * 0.4133824, 1e-6);
}

// d/dp of 1 - sigmoid(+-beta (r - z)) is -+beta * sigmoid * (1 - sigmoid).
TEST(KtoLosses, MakeRightLanesLikelierAndWrongOnesUnlikelier) {
  const Tensor policy = torch::tensor({-10.0, -8.0}).set_requires_grad(true);
  const KtoTerms terms = kto_losses({.policy = policy,
                                     .reference = torch::tensor({-12.0, -5.0}),
                                     .right = torch::tensor({1.0, 0.0}),
                                     .z = 0.5},
                                    {});
  terms.losses.sum().backward();
  EXPECT_NEAR(policy.grad()[0].item<double>(), -0.1 * 0.5374298 * 0.4625702, 1e-6);
  EXPECT_NEAR(policy.grad()[1].item<double>(), 0.1 * 0.5866176 * 0.4133824, 1e-6);
}

// Prompts and lanes by a number each.
TokenGroup numbered(TokenId prompt, TokenId lane) {
  return {.prompt = {prompt}, .lanes = {{.tokens = {lane}}}};
}
std::vector<std::pair<TokenId, TokenId>> numbers_of(const std::vector<TokenGroup>& groups) {
  std::vector<std::pair<TokenId, TokenId>> numbers;
  for (const TokenGroup& group : groups)
    numbers.emplace_back(group.prompt.at(0), group.lanes.at(0).tokens.at(0));
  return numbers;
}

// Rollouts have the groups of a question one behind the other.
TEST(BehindOtherPrompts, EachGroupIsBehindTheNextPromptThatIsNotItsOwn) {
  using testing::ElementsAre;
  using testing::IsEmpty;
  using testing::Pair;
  const auto moved = [](const std::vector<TokenGroup>& groups) {
    return numbers_of(behind_other_prompts(groups));
  };
  EXPECT_THAT(moved({numbered(1, 10), numbered(1, 11), numbered(2, 20), numbered(3, 30), numbered(3, 31)}),
              ElementsAre(Pair(2, 10), Pair(2, 11), Pair(3, 20), Pair(1, 30), Pair(1, 31)));
  EXPECT_THAT(moved({numbered(1, 10), numbered(2, 20)}), ElementsAre(Pair(2, 10), Pair(1, 20)));
  EXPECT_THAT(moved({numbered(1, 10), numbered(1, 11)}), IsEmpty()) << "there is no other";
  EXPECT_THAT(moved({numbered(1, 10)}), IsEmpty());
  EXPECT_THAT(moved({}), IsEmpty());
}

class KtoTest : public testing::Test {
 protected:
  const std::string base = support::write_model(
      {.n_layer = 2, .width = 32, .n_head = 2, .n_head_kv = 1, .head_dim = 16, .n_ffn = 48, .context = 256});
  TrainConfig config{.stage = Stage::kto};

  static TokenGroup group(uint32_t seed, std::vector<bool> right) {
    TokenGroup group{.prompt = support::some_tokens(6 + static_cast<int32_t>(seed), seed)};
    for (const bool is_right : right) {
      const auto m = static_cast<uint32_t>(group.lanes.size());
      group.lanes.push_back({.tokens = support::some_tokens(7 - 2 * static_cast<int32_t>(m), 10 * seed + m),
                             .n_forced = 1,
                             .right = is_right});
    }
    return group;
  }
  const std::vector<TokenGroup> groups = {group(1, {true, false}), group(2, {false, false, true})};

  // A model that trains an adapter which has learned something already.
  TrainModel adapted() const {
    TrainModel model(base);
    model.add_lora({.rank = 2}, 1);
    model.set_omega(OmegaConfig{.init = OmegaInit::gt, .stride = 20});
    change(model);
    return model;
  }
  static void change(const TrainModel& model) {
    const torch::NoGradGuard no_gradients;
    torch::manual_seed(4);
    for (const auto& [name, tensor] : model.trained()) tensor.add_(torch::randn_like(tensor), 0.05);
  }

  // Sum of log p of every lane, a group at a time.
  static std::vector<double> sums(const TrainModel& model, const std::vector<TokenGroup>& groups, bool open,
                                  AdapterUse use = AdapterUse::on) {
    const torch::NoGradGuard no_gradients;
    std::vector<double> sums;
    for (const TokenGroup& group : groups) {
      const LaneBatch batch = make_lane_batch(std::vector{group}, {.joint = open});
      const Tensor scores = model.log_probabilities(batch, use);
      for (int64_t lane = 0; lane < batch.n_lanes(); ++lane)
        sums.push_back(scores.masked_select(batch.target_lanes == lane).sum().item<double>());
    }
    return sums;
  }

  // The loss and z from the sums of both models, in doubles.
  struct Expected {
    double loss = 0;
    double z = 0;
  };
  Expected expected(const std::vector<double>& policy, const std::vector<double>& reference,
                    const std::vector<double>& policy_elsewhere,
                    const std::vector<double>& reference_elsewhere) const {
    Expected e;
    for (size_t i = 0; i < policy.size(); ++i)
      e.z += (policy_elsewhere[i] - reference_elsewhere[i]) / static_cast<double>(policy.size());
    e.z = std::max(0.0, e.z);
    const std::vector<bool> right = {true, false, false, false, true};
    for (size_t i = 0; i < policy.size(); ++i) {
      const double x = config.kto.beta * (policy[i] - reference[i] - e.z);
      e.loss += 1 - 1 / (1 + std::exp(right[i] ? -x : x));
    }
    return e;
  }
  std::vector<TokenGroup> behind_the_others_prompt() const {
    std::vector<TokenGroup> other = groups;
    std::swap(other[0].prompt, other[1].prompt);
    return other;
  }
};

TEST_F(KtoTest, BeginsWithTheReferenceAsItIs) {
  const TrainModel model(base);
  const BatchLoss loss = make_kto(model, config, ReferenceCoupling::joint, torch::kCPU)->loss(model, groups);
  EXPECT_EQ(loss.count, 5);
  EXPECT_NEAR(loss.sum.item<double>(), 2.5, 1e-5) << "1 - sigmoid(0) for every lane";
  EXPECT_NEAR(loss.extra.at("kl"), 0, 1e-4);
  EXPECT_NEAR(loss.extra.at("margin"), 0, 1e-4);
  EXPECT_EQ(loss.extra.at("right"), 2);
}

TEST_F(KtoTest, ComparesAnAdapterWithItsBase) {
  const TrainModel model = adapted();
  const std::vector<TokenGroup> other = behind_the_others_prompt();
  for (const bool open : {true, false}) {
    const auto mask = open ? ReferenceCoupling::joint : ReferenceCoupling::independent;
    const BatchLoss loss = make_kto(model, config, mask, torch::kCPU)->loss(model, groups);
    const Expected e = expected(sums(model, groups, true), sums(model, groups, open, AdapterUse::off),
                                sums(model, other, true), sums(model, other, open, AdapterUse::off));
    EXPECT_NEAR(loss.sum.item<double>(), e.loss, 1e-3) << (open ? "open" : "closed");
    EXPECT_NEAR(loss.extra.at("kl"), 5 * e.z, 5e-3) << (open ? "open" : "closed");
  }
}

TEST_F(KtoTest, ComparesAWholeModelWithWhatItWas) {
  const TrainModel model(base);
  const TrainModel before(base);
  const auto objective = make_kto(model, config, ReferenceCoupling::joint, torch::kCPU);
  change(model);
  const std::vector<TokenGroup> other = behind_the_others_prompt();
  const Expected e = expected(sums(model, groups, true), sums(before, groups, true), sums(model, other, true),
                              sums(before, other, true));
  EXPECT_NEAR(objective->loss(model, groups).sum.item<double>(), e.loss, 1e-3);
}

// Training that goes on from an adapter starts from the base with it.
TEST_F(KtoTest, ComparesAnAdapterThatWasLoadedWithWhatItWas) {
  config.adapter = support::new_file(".lora.gguf");
  write_adapter_file(adapted(), config.adapter, {.lanes = {.lanes = {2}}});
  TrainModel model(base);
  model.load_adapter(config.adapter);
  const auto objective = make_kto(model, config, ReferenceCoupling::joint, torch::kCPU);
  EXPECT_NEAR(objective->loss(model, groups).sum.item<double>(), 2.5, 1e-5);
  change(model);
  EXPECT_GT(std::abs(objective->loss(model, groups).sum.item<double>() - 2.5), 1e-2);
}

// An adapter that was switched off would leave the omega that has been learned.
TEST_F(KtoTest, TheReferenceKeepsTheOmegaThatTrainingStartsFrom) {
  TrainModel model(base);
  model.add_lora({.rank = 2}, 1);
  model.set_omega(OmegaConfig{.init = OmegaInit::gt, .stride = 20, .learn = true});
  const std::vector<double> before = sums(model, groups, true);
  const auto objective = make_kto(model, config, ReferenceCoupling::joint, torch::kCPU);
  {
    const torch::NoGradGuard no_gradients;
    model.omega().add_(1.5);
  }
  const std::vector<double> after = sums(model, groups, true);
  const std::vector<double> sign = {1, -1, -1, -1, 1};
  double margin = 0;
  double moved = 0;
  for (size_t i = 0; i < sign.size(); ++i) {
    margin += config.kto.beta * sign[i] * (after[i] - before[i]);
    moved += std::abs(after[i] - before[i]);
  }
  ASSERT_GT(moved, 1e-2);
  EXPECT_NEAR(objective->loss(model, groups).extra.at("margin"), margin, 1e-4 + 0.01 * std::abs(margin));
}

TEST_F(KtoTest, TakesNoDivergenceFromASingleGroup) {
  const TrainModel model = adapted();
  const auto objective = make_kto(model, config, ReferenceCoupling::joint, torch::kCPU);
  EXPECT_EQ(objective->loss(model, std::span(groups).first(1)).extra.at("kl"), 0);
}

TEST_F(KtoTest, NeedsALabelForEveryLane) {
  const TrainModel model(base);
  std::vector<TokenGroup> unlabelled = groups;
  unlabelled[1].lanes[0].right.reset();
  const auto objective = make_kto(model, config, ReferenceCoupling::joint, torch::kCPU);
  EXPECT_THROW(objective->loss(model, unlabelled), InvalidRequest);
}

}  // namespace
}  // namespace lanerope::train
