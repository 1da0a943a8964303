// SPDX-License-Identifier: Apache-2.0
// What is computed again on the way back gives the gradients of what was kept.
#include "train/recompute.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <set>
#include <string>

#include "tests/train/lane_scores.h"
#include "tests/train/small_models.h"

namespace lanerope::train {
namespace {

using torch::Tensor;

Tensor learning(std::vector<int64_t> sizes) {
  return torch::randn(sizes).set_requires_grad(true);
}

TEST(Recomputed, GivesTheGradientsOfInputsAndOfWhatIsRead) {
  torch::manual_seed(1);
  const Tensor x = learning({5, 4});
  const Tensor plain = torch::randn({5, 4});  // needs no gradient
  const Tensor weight = learning({3, 4});
  int calls = 0;
  const Computation compute = [&](const std::vector<Tensor>& inputs) {
    ++calls;
    return torch::linear(torch::tanh(inputs[0]) * inputs[1], weight);
  };
  const Tensor wanted = torch::randn({5, 3});
  (compute({x, plain}) * wanted).sum().backward();
  const Tensor of_x = x.grad().clone();
  const Tensor of_weight = weight.grad().clone();
  x.mutable_grad().zero_();
  weight.mutable_grad().zero_();

  calls = 0;
  const Tensor y = recomputed(compute, {x, plain}, {weight});
  EXPECT_EQ(calls, 1);
  (y * wanted).sum().backward();
  EXPECT_EQ(calls, 2) << "once more on the way back";
  EXPECT_TRUE(torch::equal(x.grad(), of_x));
  EXPECT_TRUE(torch::equal(weight.grad(), of_weight));
}

TEST(Recomputed, PassesGradientsOnToWhatInputsWereMadeOf) {
  const Tensor angle = torch::full({1}, 0.3).set_requires_grad(true);
  const Tensor doubled = 2 * angle;  // shared by two, as layers share the angles of one omega
  const auto sine = [](const std::vector<Tensor>& inputs) { return inputs[0].sin(); };
  (recomputed(sine, {doubled}, {}) + recomputed(sine, {doubled}, {})).sum().backward();
  EXPECT_NEAR(angle.grad().item<double>(), 4 * std::cos(0.6), 1e-6);
}

TEST(Recomputed, KeepsNothingWhereNoGradientIsWanted) {
  const torch::NoGradGuard no_gradients;
  const Tensor x = torch::ones({2});
  const Tensor y = recomputed([](const std::vector<Tensor>& inputs) { return 3 * inputs[0]; }, {x}, {});
  EXPECT_FALSE(y.requires_grad());
  EXPECT_TRUE(torch::equal(y, 3 * x));
}

// How many steps of the way back from y are of this kind.
size_t steps_back(const Tensor& y, const std::string& kind) {
  std::set<torch::autograd::Node*> seen;
  std::vector<torch::autograd::Node*> open = {y.grad_fn().get()};
  size_t found = 0;
  while (!open.empty()) {
    torch::autograd::Node* node = open.back();
    open.pop_back();
    if (node == nullptr || !seen.insert(node).second) continue;
    if (node->name().find(kind) != std::string::npos) ++found;
    for (const auto& edge : node->next_edges()) open.push_back(edge.function.get());
  }
  return found;
}

// `recomputing` has a gradient for each of what it trains, the same as `plain`.
void expect_same_gradients(const TrainModel& plain, const TrainModel& recomputing) {
  const auto others = recomputing.trained();
  for (const auto& [name, tensor] : plain.trained()) {
    const Tensor& expected = tensor.grad();
    ASSERT_TRUE(expected.defined() && others.at(name).grad().defined()) << name;
    EXPECT_LT((expected - others.at(name).grad()).abs().max().item<double>(),
              1e-5 * (1 + expected.abs().max().item<double>()))
        << name;
  }
}

class RecomputingModel : public testing::TestWithParam<const char*> {
 protected:
  // Two models of one file, of which the second keeps only what goes into its layers.
  void compare(const tools::RandomModel& shape, const std::function<void(TrainModel&)>& prepare,
               const BatchOptions& options = {}) {
    const std::string file = support::write_model(shape);
    TrainModel plain(file);
    TrainModel recomputing(file);
    for (TrainModel* model : {&plain, &recomputing}) prepare(*model);
    const LaneBatch batch = make_lane_batch(ragged_groups(), options);
    recomputing.set_recompute_above(batch.n_rows() - 1);
    const Tensor kept = plain.log_probabilities(batch);
    const Tensor again = recomputing.log_probabilities(batch);
    EXPECT_TRUE(torch::equal(kept, again));
    EXPECT_EQ(steps_back(kept, "Recomputed"), 0U);
    EXPECT_EQ(steps_back(again, "Recomputed"), static_cast<size_t>(shape.n_layer));
    kept.sum().backward();
    again.sum().backward();
    expect_same_gradients(plain, recomputing);
    recomputing.set_recompute_above(batch.n_rows());
    EXPECT_EQ(steps_back(recomputing.log_probabilities(batch), "Recomputed"), 0U) << "not a larger batch";
  }
};

TEST_P(RecomputingModel, HasTheSameGradientsWhereAllWeightsLearn) {
  compare(small(GetParam()), [](TrainModel& model) {
    model.set_omega(OmegaConfig{.init = OmegaInit::gt, .stride = 3, .learn = true, .per_layer = false});
  });
}

TEST_P(RecomputingModel, HasTheSameGradientsWhereAnAdapterLearns) {
  compare(small(GetParam()), [](TrainModel& model) {
    model.add_lora({.rank = 3}, 1);
    model.set_omega(OmegaConfig{.init = OmegaInit::gt, .stride = 60, .learn = true});
    fill_adapter(model);
    model.set_compute_type(ComputeType::f32);
  });
}

INSTANTIATE_TEST_SUITE_P(Architectures, RecomputingModel,
                         testing::Values("qwen2", "qwen3", "olmo2", "granite", "gemma3", "smollm3"));

using RecomputingBridge = RecomputingModel;
TEST_P(RecomputingBridge, HasTheSameGradientsWhereLanesExchange) {
  tools::RandomModel shape = small(GetParam());
  shape.bridge_heads = 2;
  compare(shape, [](TrainModel&) {}, {.joint = false, .bridged = true});
}
INSTANTIATE_TEST_SUITE_P(Architectures, RecomputingBridge, testing::Values("qwen2"));

}  // namespace
}  // namespace lanerope::train
