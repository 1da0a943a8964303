// SPDX-License-Identifier: Apache-2.0
#include "train/optimizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>

#include "lanerope/errors.h"

namespace lanerope::train {
namespace {

using torch::Tensor;

// A constant learning rate of 0.1 (0.01 for omega), a decay of 0.1, no clipping to speak of.
TrainConfig constant() {
  TrainConfig config{
      .steps = 100, .learning_rate = 0.1, .warmup = 0, .final_share = 1, .weight_decay = 0.1, .clip = 100};
  config.omega.learning_rate = 0.01;
  return config;
}

Tensor weight(std::vector<float> values, std::vector<int64_t> sizes) {
  return torch::tensor(values).reshape(sizes).set_requires_grad(true);
}

void set_gradient(Tensor& tensor, std::vector<float> values) {
  tensor.mutable_grad() = torch::tensor(values).reshape(tensor.sizes());
}

float first(const Tensor& tensor) {
  return tensor.flatten()[0].item<float>();
}

// Two steps of AdamW with betas 0.9 and 0.95, by hand:
//   step 1, g = 0.5:    the corrected means are g and g^2, so the weight moves by the learning rate:
//                       2 (1 - 0.1 * 0.1) - 0.1 = 1.88
//   step 2, g = -0.25:  mean 0.02 / 0.19, square 0.015 / 0.0975, quotient 0.105263 / 0.392232 = 0.268369:
//                       1.88 * 0.99 - 0.0268369 = 1.8343631
TEST(Optimizer, TakesTheStepsOfAdamW) {
  Tensor matrix = weight({2}, {1, 1});
  Optimizer optimizer({{"w", matrix}}, constant());
  set_gradient(matrix, {0.5});
  EXPECT_FLOAT_EQ(optimizer.step(0), 0.5);
  EXPECT_NEAR(first(matrix), 1.88, 1e-6);
  EXPECT_FALSE(matrix.grad().defined()) << "the gradient is used up";
  set_gradient(matrix, {-0.25});
  EXPECT_FLOAT_EQ(optimizer.step(1), 0.25);
  EXPECT_NEAR(first(matrix), 1.8343631, 1e-6);
}

TEST(Optimizer, LetsOnlyMatricesDecay) {
  Tensor vector = weight({2}, {1});
  Optimizer optimizer({{"v", vector}}, constant());
  set_gradient(vector, {0.5});
  optimizer.step(0);
  EXPECT_NEAR(first(vector), 1.9, 1e-6);
}

TEST(Optimizer, GivesOmegaALearningRateOfItsOwn) {
  Tensor omega = weight({2}, {1, 1});
  Optimizer optimizer({{"omega", omega}}, constant());
  set_gradient(omega, {0.5});
  optimizer.step(0);
  EXPECT_NEAR(first(omega), 1.99, 1e-6);
}

TEST(Optimizer, FollowsTheSchedule) {
  TrainConfig config = constant();
  config.warmup = 4;
  config.weight_decay = 0;
  Tensor matrix = weight({2}, {1, 1});
  Optimizer optimizer({{"w", matrix}}, config);
  set_gradient(matrix, {0.5});
  optimizer.step(0);
  EXPECT_NEAR(first(matrix), 2 - 0.1 / 4, 1e-6);
}

// Gradients 3 and 4 have the norm 5; clipped to 1 they are 0.6 and 0.8, and a tenth of that is the mean.
TEST(Optimizer, ClipsTheNormOfAllGradientsTogether) {
  TrainConfig config = constant();
  config.clip = 1;
  Tensor a = weight({0}, {1, 1});
  Tensor b = weight({0}, {1});
  Optimizer optimizer({{"a", a}, {"b", b}}, config);
  set_gradient(a, {3});
  set_gradient(b, {4});
  EXPECT_FLOAT_EQ(optimizer.step(0), 5);
  EXPECT_NEAR(first(optimizer.state().at("a.mean")), 0.06, 1e-6);
  EXPECT_NEAR(first(optimizer.state().at("b.mean")), 0.08, 1e-6);
  EXPECT_NEAR(first(optimizer.state().at("b.square")), 0.05 * 0.64, 1e-6);
}

TEST(Optimizer, PassesOverAStepThatIsNotFinite) {
  Tensor a = weight({1}, {1, 1});
  Optimizer optimizer({{"a", a}}, constant());
  set_gradient(a, {NAN});
  EXPECT_FALSE(std::isfinite(optimizer.step(0)));
  EXPECT_EQ(first(a), 1);
  EXPECT_EQ(first(optimizer.state().at("a.counter")), 0);
  EXPECT_FALSE(a.grad().defined());
}

TEST(Optimizer, TakesAMissingGradientForZero) {
  Tensor used = weight({1}, {1});
  Tensor unused = weight({1}, {1});
  Optimizer optimizer({{"used", used}, {"unused", unused}}, constant());
  set_gradient(used, {1});
  optimizer.step(0);
  EXPECT_EQ(first(unused), 1);
}

TEST(Optimizer, GoesOnFromItsState) {
  Tensor here = weight({2, -1, 0.5, 1}, {2, 2});
  Optimizer one({{"w", here}}, constant());
  set_gradient(here, {1, 2, -1, 0.1F});
  one.step(0);
  Tensor there = here.detach().clone().set_requires_grad(true);
  Optimizer two({{"w", there}}, constant());
  two.restore(one.state());
  set_gradient(here, {-1, 3, 2, 1});
  set_gradient(there, {-1, 3, 2, 1});
  one.step(1);
  two.step(1);
  EXPECT_TRUE(torch::equal(here, there));
}

TEST(Optimizer, RefusesTheStateOfAnother) {
  Tensor a = weight({1}, {1});
  Tensor b = weight({1, 2}, {2});
  const Optimizer one({{"w", a}}, constant());
  EXPECT_THROW(Optimizer({{"w", b}}, constant()).restore(one.state()), InvalidRequest);
  EXPECT_THROW(Optimizer({{"v", a}}, constant()).restore(one.state()), InvalidRequest);
}

// Warm-up times (share + (1 - share) (1 + cos(pi step / steps)) / 2).
TEST(Schedule, WarmsUpAndThenFollowsACosine) {
  const TrainConfig config{.steps = 100, .warmup = 10, .final_share = 0.1};
  EXPECT_NEAR(schedule(config, 0), 0.1, 1e-9);
  EXPECT_NEAR(schedule(config, 4), 0.5 * (0.1 + 0.9 * 0.9960574), 1e-6);
  EXPECT_NEAR(schedule(config, 25), 0.1 + 0.9 * 0.8535534, 1e-6);
  EXPECT_NEAR(schedule(config, 50), 0.55, 1e-9);
  EXPECT_NEAR(schedule(config, 100), 0.1, 1e-9);
  EXPECT_NEAR(schedule(config, 200), 0.1, 1e-9);
  EXPECT_EQ(schedule({.steps = 100, .warmup = 0}, 0), 1);
}

}  // namespace
}  // namespace lanerope::train
