// SPDX-License-Identifier: Apache-2.0
#include "train/model_file.h"

#include <gtest/gtest.h>

#include <tuple>

#include "tests/support/engine_run.h"
#include "tests/train/lane_scores.h"
#include "tests/train/small_models.h"

namespace lanerope::train {
namespace {

class ModelFile : public testing::TestWithParam<const char*> {};

TEST_P(ModelFile, IsReadAgainWithTheSameWeights) {
  TrainModel trained(support::write_model(small(GetParam())));
  trained.set_omega(OmegaConfig{.init = OmegaInit::gt, .stride = 60});
  const std::string file = support::new_file(".gguf");
  write_model_file(trained, file,
                   {.type = GGML_TYPE_F32,
                    .lanes = {.visibility = Visibility::strict,
                              .sees_from = SeesFrom::hand_over,
                              .prompt_lane = PromptLane::first,
                              .tag = "#{k}",
                              .lanes = {2, 4}}});
  const TrainModel again(file);
  EXPECT_EQ(largest_weight_difference(trained, again), 0);
  EXPECT_TRUE(again.knows_lanes());
  EXPECT_EQ(again.omega_start().init, OmegaInit::gt);
  EXPECT_EQ(again.omega_start().stride, 60);
  EXPECT_EQ(again.vocabulary().tokens, trained.vocabulary().tokens);

  const auto model = support::load_model(file, BackEnd::ggml);
  LaneTraining lanes = model->info().lanes.value();
  EXPECT_EQ(lanes.coupling.visibility, Visibility::strict);
  EXPECT_EQ(lanes.coupling.prompt_lane, PromptLane::first);
  EXPECT_EQ(std::exchange(lanes.coupling.sees_from, SeesFrom::start), SeesFrom::hand_over);
  EXPECT_EQ(lanes.coupling.omega, values(trained.omega()));
  EXPECT_EQ(lanes.tag, "#{k}");
  EXPECT_EQ(lanes.lanes, (std::vector<int32_t>{2, 4}));
  const LaneScores expected = engine_scores(model, ragged_groups(), lanes.coupling);
  const BatchOptions strict{.visibility = Visibility::strict, .prompt_lane = PromptLane::first};
  EXPECT_LT(largest_difference(trainer_scores(trained, ragged_groups(), strict), expected), same);
}

TEST_P(ModelFile, HasTheAdapterWorkedIn) {
  TrainModel trained(support::write_model(small(GetParam())));
  trained.add_lora({.rank = 3}, 1);
  fill_adapter(trained);
  const std::string file = support::new_file(".gguf");
  write_model_file(trained, file, {.type = GGML_TYPE_F32});
  EXPECT_LT(largest_difference(trainer_scores(trained, ragged_groups()),
                               trainer_scores(TrainModel(file), ragged_groups())),
            same);
}

INSTANTIATE_TEST_SUITE_P(Architectures, ModelFile,
                         testing::Values("qwen2", "qwen3", "llama", "olmo2", "granite", "gemma2", "gemma3",
                                         "smollm3", "mistral3"));

TEST(ModelFile, OfAModelFromNothingIsOneThatTheEngineRuns) {
  const TrainModel seed(support::write_model(small()));  // for its vocabulary
  TrainModel fresh(ModelShape{.layers = 2, .width = 32, .heads = 4, .kv_heads = 2, .head_dim = 16, .ffn = 48},
                   seed.vocabulary(), 3);
  fresh.set_omega(OmegaConfig{.init = OmegaInit::ntk_by_parts, .stride = 40});
  const std::string file = support::new_file(".gguf");
  write_model_file(fresh, file, {.type = GGML_TYPE_F32});
  const LaneScores expected =
      engine_scores(support::load_model(file, BackEnd::ggml), ragged_groups(), coupling_of(fresh));
  EXPECT_LT(largest_difference(trainer_scores(fresh, ragged_groups()), expected), same);
}

class AdapterFile : public testing::TestWithParam<std::tuple<const char*, bool>> {};

TEST_P(AdapterFile, GivesTheEngineTheTrainersLogProbabilities) {
  const auto& [architecture, on_prompt] = GetParam();
  const std::string base = support::write_model(small(architecture));
  TrainModel trained(base);
  const LaneScores before = trainer_scores(trained, ragged_groups());
  LoraConfig lora{.rank = 3, .alpha = 9, .on_prompt = on_prompt};
  lora.targets.emplace_back("output");
  trained.add_lora(lora, 1);
  trained.set_omega(OmegaConfig{.init = OmegaInit::gt, .stride = 60});
  fill_adapter(trained);
  const std::string file = support::new_file(".lora.gguf");
  write_adapter_file(trained, file, {.lanes = {.tag = "#{k}", .lanes = {4}}});

  TrainModel again(base);
  again.load_adapter(file);
  EXPECT_EQ(largest_weight_difference(trained, again), 0);
  EXPECT_EQ(again.lora().on_prompt, on_prompt);
  EXPECT_EQ(again.omega_start().init, OmegaInit::gt);
  EXPECT_EQ(again.omega_start().stride, 60);
  const auto model = support::load_model(base, BackEnd::ggml, {{.file = file}});
  const AdapterInfo info = model->info().adapters.at(0);
  EXPECT_EQ(info.on_prompt, on_prompt);
  const LaneScores expected = engine_scores(model, ragged_groups(), info.lanes->coupling);
  EXPECT_LT(largest_difference(trainer_scores(trained, ragged_groups()), expected), same);
  EXPECT_GT(largest_difference(before, expected), 0.1) << "the adapter matters";
}

INSTANTIATE_TEST_SUITE_P(Architectures, AdapterFile,
                         testing::Combine(testing::Values("qwen2", "llama", "gemma2"), testing::Bool()));

}  // namespace
}  // namespace lanerope::train
