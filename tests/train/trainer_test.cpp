// SPDX-License-Identifier: Apache-2.0
#include "train/trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "lanerope/errors.h"
#include "lanerope/model.h"
#include "tests/train/toy_run.h"
#include "train/checkpoint.h"
#include "train/files/curve_log.h"
#include "train/train_model.h"

namespace lanerope::train {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::vector<CurvePoint> curve_of(const TrainConfig& config) {
  return read_curve(config.run_folder() + "/curve.jsonl");
}

std::vector<double> losses(const TrainConfig& config) {
  std::vector<double> losses;
  for (const CurvePoint& point : curve_of(config)) losses.push_back(point.loss);
  return losses;
}

// Trains up to a step and is then interrupted, or killed: then nothing is kept but what the run folder has.
void train_until(const TrainConfig& config, int64_t step, bool killed) {
  struct Killed {};
  int64_t done = 0;
  const TrainCallbacks callbacks{.step =
                                     [&](const TrainingProgress& progress) {
                                       done = progress.step;
                                       if (killed && done == step) throw Killed{};
                                     },
                                 .stop = [&] { return done == step; }};
  if (killed) {
    EXPECT_THROW(train(config, callbacks), Killed);
  } else {
    EXPECT_FALSE(train(config, callbacks));
  }
}

// What goes on from the toy's model.
TrainConfig sft_of(const ToyRun& toy) {
  TrainConfig sft = toy.config;
  sft.stage = Stage::sft;
  sft.base = toy.config.out;
  sft.out = toy.directory.file("sft.gguf");
  return sft;
}

TEST(Trainer, LearnsAToy) {
  ToyRun toy;
  toy.config.steps = 60;
  toy.config.dev = toy.config.data[0].file;
  toy.config.dev_groups = 10;
  toy.config.dev_every = 30;
  EXPECT_TRUE(train(toy.config, {}));
  const std::vector<CurvePoint> curve = curve_of(toy.config);
  ASSERT_EQ(curve.size(), 60U);
  EXPECT_GT(curve.front().loss, 2);
  EXPECT_LT(curve.back().loss, 0.4 * curve.front().loss);
  EXPECT_FALSE(curve[28].extra.contains("dev_loss"));
  EXPECT_LT(curve[59].extra.at("dev_loss"), curve[29].extra.at("dev_loss"));
  EXPECT_GT(curve[59].tokens, 59 * 100);
}

TEST(Trainer, WritesAModelAndWhatItCameFrom) {
  ToyRun toy;
  toy.config.name = "toy";
  std::vector<std::string> notes;
  EXPECT_TRUE(train(toy.config, {.note = [&](const std::string& text) { notes.push_back(text); }}));
  EXPECT_THAT(notes, ElementsAre("wrote " + toy.config.out));
  const ModelInfo info = Model::load({.file = toy.config.out, .threads = 1})->info();
  EXPECT_EQ(info.n_vocab, static_cast<int32_t>(byte_vocabulary().tokens.size()));
  EXPECT_FALSE(info.lanes) << "pretraining knows no lanes";
  const std::string folder = toy.config.run_folder();
  for (const char* name : {"/checkpoint.pt", "/curve.jsonl", "/curve.html", "/stage.json"})
    EXPECT_TRUE(std::filesystem::exists(folder + name)) << name;
  std::ifstream stage(folder + "/stage.json");
  EXPECT_EQ(nlohmann::json::parse(stage).at("config").at("steps"), 12);
}

class Resuming : public testing::TestWithParam<bool> {};

TEST_P(Resuming, GivesTheCurveOfARunThatNeverStopped) {
  const bool killed = GetParam();
  ToyRun whole;
  whole.config.accumulate = 2;
  whole.config.shuffle_lanes = true;
  TrainConfig parts = whole.config;
  parts.out = whole.directory.file("parts.gguf");
  train(whole.config, {});
  train_until(parts, 8, killed);  // killed: after the checkpoint of step 5
  std::vector<std::string> notes;
  EXPECT_TRUE(train(parts, {.note = [&](const std::string& text) { notes.push_back(text); }}));
  EXPECT_EQ(notes.at(0), killed ? "going on from step 5" : "going on from step 8");
  EXPECT_EQ(losses(parts), losses(whole.config)) << "to the last digit";
  EXPECT_EQ(curve_of(parts).back().tokens, curve_of(whole.config).back().tokens);
  const auto expected = read_checkpoint(whole.config.run_folder() + "/checkpoint.pt");
  const auto found = read_checkpoint(parts.run_folder() + "/checkpoint.pt");
  for (const auto& [name, tensor] : expected->parameters)
    EXPECT_TRUE(torch::equal(tensor, found->parameters.at(name))) << name;
}

INSTANTIATE_TEST_SUITE_P(AfterAKillAndAfterAnInterruption, Resuming, testing::Bool());

// The stages that follow one another: a base, lanes trained into it, an adapter, and labelled groups.
TEST(Trainer, GoesThroughAllStages) {
  ToyRun toy;
  train(toy.config, {});

  TrainConfig sft = sft_of(toy);
  sft.omega = {.init = OmegaInit::gt, .stride = 30, .learn = true, .learning_rate = 1e-2};
  train(sft, {});
  const ModelInfo info = Model::load({.file = sft.out, .threads = 1})->info();
  EXPECT_EQ(info.lanes->lanes, (std::vector<int32_t>{2, 3}));
  EXPECT_EQ(info.lanes->tag, "<lane{k}>");
  const TrainModel learned(sft.out);
  EXPECT_EQ(learned.omega().size(0), 2) << "a row for each layer";
  EXPECT_GT((learned.omega()[0] - learned.omega()[1]).abs().max().item<float>(), 1e-3);

  TrainConfig lora = sft;
  lora.base = sft.out;
  lora.out = toy.directory.file("sft.lora.gguf");
  lora.lora.rank = 2;
  lora.omega = {.init = OmegaInit::gt, .stride = 30};
  train(lora, {});
  TrainModel adapted(sft.out);
  adapted.load_adapter(lora.out);
  EXPECT_TRUE(torch::allclose(adapted.omega(), learned.omega())) << "a base that has an omega keeps it";

  TrainConfig kto = lora;
  kto.stage = Stage::kto;
  kto.adapter = lora.out;
  kto.out = toy.directory.file("kto.lora.gguf");
  train(kto, {});
  const std::vector<CurvePoint> curve = curve_of(kto);
  EXPECT_NEAR(curve.front().loss, 0.5, 1e-4) << "the reference is where training starts";
  EXPECT_LT(curve.back().loss, 0.5);
  EXPECT_TRUE(curve.back().extra.contains("kl"));
}

// Lanes that were trained on before an interruption are remembered.
TEST(Trainer, RemembersNumbersOfLanesInItsCheckpoint) {
  ToyRun toy;
  train(toy.config, {});
  const TrainConfig sft = sft_of(toy);
  train(sft, {});
  std::filesystem::remove(sft.out);
  train(sft, {});  // only writes the model
  EXPECT_EQ(Model::load({.file = sft.out, .threads = 1})->info().lanes->lanes, (std::vector<int32_t>{2, 3}));
}

TEST(Trainer, RefusesWhatMakesNoSenseInOneSentence) {
  const ToyRun toy;
  TrainConfig config = toy.config;
  config.data = {{.file = "/nowhere/data.jsonl"}};
  EXPECT_THAT(refusal(config), AllOf(HasSubstr("/nowhere/data.jsonl"), Not(HasSubstr("\n"))));
  config = toy.config;
  config.device = "warp";
  EXPECT_EQ(refusal(config), "the configuration's device \"warp\" is not one that torch knows");
  config.device = "cuda";
  if (!torch::cuda::is_available()) {
    EXPECT_EQ(refusal(config), "this libtorch has no CUDA device; set device to cpu");
  }
  config = toy.config;
  config.stage = Stage::sft;
  config.base = toy.config.vocabulary;
  EXPECT_THAT(refusal(config), Not(HasSubstr("\n"))) << "a file without a model";
}

nlohmann::json record_of(const TrainConfig& config) {
  std::ifstream stage(config.run_folder() + "/stage.json");
  return nlohmann::json::parse(stage);
}

// Old weights would be written, and the record would claim that the new settings made them.
TEST(Trainer, DoesNotWriteAFinishedRunAnewUnderOtherSettings) {
  ToyRun toy;
  train(toy.config, {});
  const nlohmann::json record = record_of(toy.config);
  TrainConfig other = toy.config;
  other.learning_rate = 2e-2;
  EXPECT_THAT(refusal(other), HasSubstr("was made with learning_rate 0.01, and the configuration has 0.02"));
  other = toy.config;
  other.steps = 6;
  EXPECT_THAT(refusal(other), HasSubstr("has 12 steps behind it"));
  EXPECT_EQ(record_of(toy.config), record);
  other.steps = 14;
  EXPECT_TRUE(train(other, {}));
  EXPECT_EQ(curve_of(other).size(), 14U) << "two more";
  EXPECT_EQ(record_of(other).at("config").at("steps"), 14);
}

TEST(Trainer, RefusesACheckpointOfAnotherModel) {
  ToyRun toy;
  train(toy.config, {});
  const TrainConfig sft = sft_of(toy);
  train(sft, {});
  ToyRun wider;
  wider.config.model.ffn = 64;
  train(wider.config, {});
  std::filesystem::copy_file(wider.config.out, sft.base, std::filesystem::copy_options::overwrite_existing);
  EXPECT_THAT(refusal(sft), HasSubstr("belongs to another configuration")) << "under the same name";
}

TEST(Trainer, RefusesACheckpointOfAnotherConfiguration) {
  ToyRun toy;
  train_until(toy.config, 6, true);
  toy.config.model.ffn = 64;
  EXPECT_THAT(refusal(toy.config), HasSubstr("was made with model.ffn 48, and the configuration has 64"));
  write_text(toy.config.run_folder() + "/checkpoint.pt", "no checkpoint");
  EXPECT_THAT(refusal(toy.config), AllOf(HasSubstr("delete it to start again"), Not(HasSubstr("\n"))));
}

std::string settings_refusal(const std::vector<std::string>& settings, Stage stage = Stage::pretrain) {
  std::vector<std::string> all = {"out=a.gguf", "data=b.jsonl"};
  all.push_back(stage == Stage::pretrain ? "vocabulary=c.gguf" : "base=c.gguf");
  all.insert(all.end(), settings.begin(), settings.end());
  try {
    read_train_config("", all, stage);
    return "(not refused)";
  } catch (const InvalidRequest& error) {
    return error.what();
  }
}

TEST(TrainConfig, IsRefusedByTheNameOfTheKey) {
  EXPECT_EQ(settings_refusal({}), "(not refused)");
  EXPECT_EQ(settings_refusal({"stepz=3"}),
            "the configuration's stepz is not a key that lanerope-train knows");
  EXPECT_EQ(settings_refusal({"model.depth=3"}),
            "the configuration's model.depth is not a key that lanerope-train knows");
  EXPECT_EQ(settings_refusal({"steps=many"}), "the configuration's steps is not a number");
  EXPECT_EQ(settings_refusal({"steps=0"}), "the configuration's steps must be positive");
  EXPECT_EQ(settings_refusal({"dev_every=0"}), "the configuration's dev_every must be positive");
  EXPECT_EQ(settings_refusal({"checkpoint_every=0"}),
            "the configuration's checkpoint_every must be positive");
  EXPECT_EQ(settings_refusal({"type=f8"}), "the configuration's type is \"f8\", which is no choice there");
  EXPECT_EQ(settings_refusal({"model.kv_heads=3"}),
            "the configuration's model.kv_heads must divide model.heads");
  EXPECT_EQ(settings_refusal({"open=1"}), "the configuration's open has a value of the wrong type");
  EXPECT_EQ(settings_refusal({"steps"}), "the setting \"steps\" must have the form key=value");
  EXPECT_EQ(settings_refusal({"stage=kto"}), "the configuration is for kto, not for pretrain");
  EXPECT_EQ(settings_refusal({"out="}), "the configuration names no file to write; set out");
}

TEST(TrainConfig, HoldsNothingThatItsStageDoesNotLookAt) {
  EXPECT_EQ(settings_refusal({"lora.rank=4"}),
            "the configuration's lora.rank has no meaning in pretraining; leave it out");
  for (const std::string setting : {"base=c.gguf", "adapter=d.gguf", "bridge.heads=2", "bridge.alone=true",
                                    "omega.init=gt", "omega.learn=true", "kto.beta=0.3"}) {
    const std::string key = setting.substr(0, setting.find('='));
    EXPECT_THAT(settings_refusal({setting}), HasSubstr("'s " + key + " has no meaning in pretraining"));
  }
  for (const std::string setting : {"vocabulary=c.gguf", "model.layers=3"}) {
    const std::string key = setting.substr(0, setting.find('='));
    EXPECT_THAT(settings_refusal({setting}, Stage::sft), HasSubstr(key + " has no meaning in sft"));
    EXPECT_THAT(settings_refusal({setting}, Stage::kto), HasSubstr(key + " has no meaning in kto"));
  }
  EXPECT_THAT(settings_refusal({"kto.beta=0.3"}, Stage::sft), HasSubstr("kto.beta has no meaning in sft"));
  EXPECT_EQ(settings_refusal({"kto.beta=0.3"}, Stage::kto), "(not refused)");
  EXPECT_EQ(settings_refusal({"omega.init=ntk-by-parts", "adapter="}), "(not refused)")
      << "as by default, which records of runs have too";
}

TEST(TrainConfig, HoldsNothingThatItsOtherSettingsSwitchOff) {
  const auto of_sft = [](const std::vector<std::string>& settings) {
    return settings_refusal(settings, Stage::sft);
  };
  EXPECT_EQ(of_sft({"lora.alpha=8"}),
            "the configuration's lora.alpha does nothing without lora.rank or adapter; leave it out, or set "
            "that");
  EXPECT_THAT(of_sft({"lora.targets=[\"attn_q\"]"}),
              HasSubstr("lora.targets does nothing without lora.rank"));
  EXPECT_THAT(of_sft({"lora.on_prompt=false"}), HasSubstr("lora.on_prompt does nothing without lora.rank"));
  EXPECT_EQ(of_sft({"lora.alpha=8", "lora.rank=4"}), "(not refused)");
  EXPECT_EQ(of_sft({"lora.alpha=8", "adapter=d.gguf"}), "(not refused)");
  EXPECT_THAT(of_sft({"bridge.every=2"}), HasSubstr("bridge.every does nothing without bridge.heads"));
  EXPECT_THAT(of_sft({"bridge.head_dim=8"}), HasSubstr("bridge.head_dim does nothing without bridge.heads"));
  EXPECT_EQ(of_sft({"bridge.alone=true"}), "(not refused)") << "the base may have bridges";
  EXPECT_EQ(of_sft({"bridge.every=2", "bridge.heads=2"}), "(not refused)");
  EXPECT_THAT(of_sft({"omega.per_layer=false"}), HasSubstr("per_layer does nothing without omega.learn"));
  EXPECT_EQ(of_sft({"omega.per_layer=false", "omega.learn=true"}), "(not refused)");
  EXPECT_THAT(of_sft({"omega.lanes=8", "omega.init=gt"}),
              HasSubstr("lanes does nothing without omega.init=ntk"));
  EXPECT_EQ(of_sft({"omega.lanes=8", "omega.init=ntk"}), "(not refused)");
  EXPECT_EQ(of_sft({"omega.learning_rate=1e-3", "omega.learn=false"}), "(not refused)")
      << "a configuration may be run with omega frozen";
}

TEST(TrainConfig, TakesWholeNumbersWhereTheyAreCounted) {
  const auto of_sft = [](const std::string& setting) { return settings_refusal({setting}, Stage::sft); };
  EXPECT_EQ(of_sft("lora.rank=8.9"),
            "the configuration's lora.rank is 8.9, and must be a whole number from -2147483648 to "
            "2147483647");
  EXPECT_THAT(of_sft("lora.rank=4294967304"), HasSubstr("lora.rank is 4294967304, and must be"));
  EXPECT_THAT(of_sft("lora.rank=1e30"), HasSubstr("lora.rank is 1e+30, and must be"));
  EXPECT_THAT(of_sft("seed=-1"),
              HasSubstr("seed is -1, and must be a whole number from 0 to 18446744073709551615"));
  EXPECT_THAT(of_sft("steps=1e-3"), HasSubstr("steps is 0.001, and must be"));
  EXPECT_EQ(of_sft("seed=18446744073709551615"), "(not refused)");
  EXPECT_EQ(of_sft("steps=1e3"), "(not refused)");
  EXPECT_EQ(of_sft("learning_rate=1"), "(not refused)");
}

TEST(TrainConfig, IsReadBackAsItWasWritten) {
  TrainConfig config = read_train_config(
      "", {"out=a", "base=b", "data=[{\"file\": \"c\", \"weight\": 2}]", "omega.init=gt", "kto.beta=0.3"},
      Stage::kto);
  EXPECT_EQ(config.omega.init, OmegaInit::gt);
  EXPECT_EQ(config.data.at(0).weight, 2);
  const TrainConfig again = parse_train_config(to_json(config), {});
  EXPECT_EQ(to_json(again), to_json(config));
}

}  // namespace
}  // namespace lanerope::train
