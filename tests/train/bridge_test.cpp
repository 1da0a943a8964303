// SPDX-License-Identifier: Apache-2.0
// Bridges in the trainer: the engine's computation, with gradients, from a configuration to a file that runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <string>

#include "lanerope/errors.h"
#include "tests/train/lane_scores.h"
#include "tests/train/small_models.h"
#include "tests/train/toy_run.h"
#include "train/model_file.h"
#include "train/trainer.h"

namespace lanerope::train {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using torch::Tensor;

constexpr BatchOptions exchanging{.joint = false, .bridged = true};
const Coupling bridge{.kind = CouplingKind::bridge};

tools::RandomModel bridged(int32_t heads = 2) {
  tools::RandomModel model = small();
  model.bridge_heads = heads;
  return model;
}

// Another number in every weight that learns.
void shake(const TrainModel& model) {
  const torch::NoGradGuard no_gradients;
  torch::manual_seed(5);
  for (const auto& [name, tensor] : model.trained()) tensor.add_(0.1 * torch::randn_like(tensor));
}

TEST(LaneBatch, TellsWhichRowsExchange) {
  // Three lanes, of which the second ends after its second token; the last tokens are only predicted.
  const TokenGroup group{
      .prompt = {10, 11, 12, 13},
      .lanes = {{.tokens = {20, 21, 22, 23}}, {.tokens = {30, 31}}, {.tokens = {40, 41, 42}}}};
  const LaneBatch batch = make_lane_batch(std::vector{group, group}, {.bridged = true, .row_multiple = 1});
  const Tensor expected =
      torch::tensor({{4, 5, 6}, {7, 8, 9}, {10, 11, 10}, {16, 17, 18}, {19, 20, 21}, {22, 23, 22}})
          .to(torch::kInt64);
  EXPECT_TRUE(torch::equal(batch.bridge_rows, expected)) << batch.bridge_rows;
  EXPECT_TRUE(torch::equal(batch.bridge_there[2], torch::tensor({true, true, false})));
  EXPECT_EQ(batch.bridge_there.sum().item<int64_t>(), 16);
  EXPECT_FALSE(make_lane_batch(std::vector{group}, {}).bridge_rows.defined());
}

TEST(TrainBridge, GivesTheEnginesLogProbabilities) {
  for (const int32_t every : {1, 2}) {
    tools::RandomModel shape = bridged();
    shape.bridge_every = every;
    const std::string file = support::write_model(shape);
    const TrainModel trained(file);
    const LaneScores scores = trainer_scores(trained, ragged_groups(), exchanging);
    for (const BackEnd back_end : {BackEnd::ggml, BackEnd::kernels}) {
      const LaneScores expected = engine_scores(support::load_model(file, back_end), ragged_groups(), bridge);
      EXPECT_LT(largest_difference(scores, expected), back_end == BackEnd::kernels ? same_in_f16 : same)
          << name(back_end) << ", every " << every;
    }
    EXPECT_GT(largest_difference(scores, trainer_scores(trained, ragged_groups(), {.joint = false})), 0.05)
        << "what lanes hear matters";
  }
}

TEST(TrainBridge, BeginsAsIndependentLanes) {
  const std::string base = support::write_model(bridged(0));
  TrainModel trained(base);
  trained.add_bridge({.heads = 2, .head_dim = 8}, 1);
  const torch::NoGradGuard no_gradients;
  EXPECT_TRUE(torch::equal(trained.logits(make_lane_batch(ragged_groups(), exchanging)),
                           TrainModel(base).logits(make_lane_batch(ragged_groups(), {.joint = false}))));
}

// The gradient of every tensor of a block against differences of the loss.
TEST(TrainBridge, ItsGradientsAreThoseOfTheLogProbabilities) {
  TrainModel model(support::write_model(bridged()));
  const LaneBatch batch = make_lane_batch(ragged_groups(), exchanging);
  const auto loss = [&] { return model.log_probabilities(batch).mean(); };
  loss().backward();
  torch::manual_seed(2);
  for (const std::string role : {"norm", "q", "k", "v", "output"}) {
    const Tensor weight = model.trained().at("blk.0.bridge_" + role + ".weight");
    ASSERT_TRUE(weight.grad().defined()) << role;
    EXPECT_GT(weight.grad().abs().max().item<double>(), 0) << role;
    expect_slope(weight, loss, role);
  }
}

TEST(TrainBridge, LearnsWhatItIsAskedTo) {
  const std::string base = support::write_model(bridged(0));
  const auto names = [](const TrainModel& model) {
    std::vector<std::string> list;
    for (const auto& [name, tensor] : model.trained()) list.push_back(name);
    return list;
  };
  TrainModel alone(base);
  alone.add_bridge({.heads = 2, .head_dim = 8, .every = 2, .alone = true}, 1);
  EXPECT_THAT(names(alone),
              ElementsAre("blk.1.bridge_k.weight", "blk.1.bridge_norm.weight", "blk.1.bridge_output.weight",
                          "blk.1.bridge_q.weight", "blk.1.bridge_v.weight"));
  TrainModel beside(base);
  beside.add_lora({.rank = 2, .targets = {"attn_q"}}, 1);
  beside.add_bridge({.heads = 2, .head_dim = 8, .every = 2}, 1);
  EXPECT_EQ(names(beside).size(), 5U + 4U) << "and pairs of two layers";
  TrainModel all(base);
  all.add_bridge({.heads = 2, .head_dim = 8}, 1);
  EXPECT_EQ(all.trained().size(), all.parameters().size() - 1) << "all but omega";
  EXPECT_THROW(all.add_lora({.rank = 2, .targets = {"bridge_q"}}, 1), InvalidRequest);
}

// What is computed does not depend on whether the trainer knows that the base does not learn.
TEST(TrainBridge, WithFrozenWeightsComputesTheSame) {
  const std::string base = support::write_model(bridged());
  TrainModel plain(base);
  TrainModel frozen(base);
  for (TrainModel* model : {&plain, &frozen}) {
    model->add_lora({.rank = 3}, 1);
    shake(*model);
  }
  frozen.set_compute_type(ComputeType::f32);
  const LaneBatch batch = make_lane_batch(ragged_groups(), exchanging);
  plain.log_probabilities(batch).sum().backward();
  frozen.log_probabilities(batch).sum().backward();
  const auto others = frozen.trained();
  for (const auto& [name, tensor] : plain.trained()) {
    const Tensor expected = tensor.grad();
    ASSERT_TRUE(expected.defined()) << name;
    EXPECT_LT((expected - others.at(name).grad()).abs().max().item<double>(),
              1e-3 * (1 + expected.abs().max().item<double>()))
        << name;
  }
}

TEST(TrainBridge, GoesIntoTheModelFileWithAllThatLearntBesideIt) {
  const std::string base = support::write_model(bridged(0));
  TrainModel trained(base);
  trained.add_lora({.rank = 3}, 1);
  trained.add_bridge({.heads = 2, .head_dim = 8}, 1);
  shake(trained);
  const LaneScores scores = trainer_scores(trained, ragged_groups(), exchanging);
  trained.set_compute_type(ComputeType::bf16);  // as a run does; the file has the weights that were read
  TrainModel whole(base);
  whole.adopt(trained);
  const std::string file = support::new_file(".gguf");
  write_model_file(whole, file, {.type = GGML_TYPE_F32, .lanes = {.tag = "#{k}", .lanes = {2, 4}}});

  const auto model = support::load_model(file, BackEnd::ggml);
  const LaneTraining lanes = model->info().lanes.value();
  EXPECT_EQ(lanes.coupling.kind, CouplingKind::bridge);
  EXPECT_TRUE(lanes.coupling.omega.empty());
  EXPECT_EQ(lanes.tag, "#{k}");
  EXPECT_EQ(model->info().n_bridges, 2);
  EXPECT_LT(largest_difference(scores, engine_scores(model, ragged_groups(), lanes.coupling)), same);
  EXPECT_LT(largest_difference(scores, trainer_scores(TrainModel(file), ragged_groups(), exchanging)), same);
}

// A base, bridges alone beside it, and labelled groups for both together.
TEST(TrainBridge, GoesThroughAllStages) {
  ToyRun toy;
  train(toy.config, {});
  TrainConfig sft = toy.config;
  sft.stage = Stage::sft;
  sft.base = toy.config.out;
  sft.out = toy.directory.file("bridge.gguf");
  sft.bridge = {.heads = 2, .head_dim = 8, .alone = true};
  sft.type = ComputeType::bf16;
  train(sft, {});
  const auto before = TrainModel(sft.base).parameters();
  const auto after = TrainModel(sft.out).parameters();
  for (const auto& [name, tensor] : before)
    EXPECT_TRUE(torch::equal(tensor, after.at(name))) << name << " is the base's";
  EXPECT_GT(after.at("blk.0.bridge_output.weight").abs().max().item<double>(), 1e-3);
  const ModelInfo info = Model::load({.file = sft.out, .threads = 1})->info();
  EXPECT_EQ(info.lanes->coupling.kind, CouplingKind::bridge);
  EXPECT_EQ(info.lanes->lanes, (std::vector<int32_t>{2, 3}));

  TrainConfig kto = sft;
  kto.stage = Stage::kto;
  kto.base = sft.out;
  kto.out = toy.directory.file("kto.gguf");
  kto.bridge = {};
  train(kto, {});
  EXPECT_EQ(Model::load({.file = kto.out, .threads = 1})->info().n_bridges, 2);

  TrainConfig wrong = kto;
  wrong.out = toy.directory.file("wrong.gguf");
  wrong.bridge.heads = 2;
  EXPECT_THAT(refusal(wrong), HasSubstr("the base has bridges already"));
  wrong = kto;
  wrong.out = toy.directory.file("wrong.gguf");
  wrong.omega.learn = true;
  EXPECT_THAT(refusal(wrong), HasSubstr("mean nothing where lanes exchange"));
  wrong.omega = {.init = OmegaInit::gt};
  EXPECT_THAT(refusal(wrong), HasSubstr("mean nothing where lanes exchange"));
  wrong = sft;
  wrong.out = toy.directory.file("wrong.gguf");
  wrong.bridge = {.heads = 0, .alone = true};
  EXPECT_THAT(refusal(wrong), HasSubstr("set bridge.heads"));
}

}  // namespace
}  // namespace lanerope::train
