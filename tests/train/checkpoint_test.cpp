// SPDX-License-Identifier: Apache-2.0
#include "train/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/refusal.h"
#include "tests/support/temporary_directory.h"

namespace lanerope::train {
namespace {

using testing::HasSubstr;

class GoingOn : public testing::Test {
 protected:
  support::TemporaryDirectory directory = {};
  TrainConfig config{.stage = Stage::sft,
                     .base = directory.file("base.gguf"),
                     .data = {{.file = directory.file("lanes.jsonl"), .weight = 0.3}},
                     .out = directory.file("out.gguf"),
                     .steps = 48,
                     .lora = {.rank = 4, .alpha = 0.3F}};

  GoingOn() {
    touch(config.base);
    touch(config.data[0].file);
  }
  static void touch(const std::string& path) { std::ofstream(path) << path; }

  static Checkpoint made_by(const TrainConfig& config) {
    return {.step = 20, .config = to_json(config).dump()};
  }
  static std::string refusal(const Checkpoint& checkpoint, const TrainConfig& config) {
    return support::refusal<Error>([&] { check_goes_on(checkpoint, config); });
  }
  // Of a run of `config` under other settings.
  std::string refusal(const TrainConfig& now) const { return refusal(made_by(config), now); }
};

TEST_F(GoingOn, IsUnderTheSameSettings) {
  EXPECT_EQ(refusal(config), "(not refused)");
}

TEST_F(GoingOn, IsRefusedWhereWhatIsLearnedFromIsAnother) {
  TrainConfig now = config;
  now.learning_rate = 1e-3;
  EXPECT_EQ(refusal(now), "the checkpoint in " + config.out +
                              ".run was made with learning_rate 0.002, and the configuration has 0.001; "
                              "set it back, name another out or run, or delete " +
                              config.out + ".run");
  const auto key_of = [&](auto change) {
    TrainConfig other = config;
    change(other);
    const std::string text = refusal(other);
    const std::string begin = " was made with ";
    const size_t at = text.find(begin);
    if (at == std::string::npos) return text;
    const size_t first = at + begin.size();
    return text.substr(first, text.find(' ', first) - first);
  };
  EXPECT_EQ(key_of([](TrainConfig& c) { c.stage = Stage::kto; }), "stage");
  EXPECT_EQ(key_of([](TrainConfig& c) { c.omega.init = OmegaInit::gt; }), "omega.init");
  EXPECT_EQ(key_of([](TrainConfig& c) { c.lora.rank = 16; }), "lora.rank");
  EXPECT_EQ(key_of([](TrainConfig& c) { c.type = ComputeType::bf16; }), "type");
  EXPECT_EQ(key_of([](TrainConfig& c) { c.sees_from = SeesFrom::hand_over; }), "sees_from");
  EXPECT_EQ(key_of([](TrainConfig& c) { c.batch_tokens = 8; }), "batch_tokens");
  EXPECT_EQ(key_of([](TrainConfig& c) { c.seed = 2; }), "seed");
  EXPECT_EQ(key_of([](TrainConfig& c) { c.data[0].weight = 1; }), "data");
  EXPECT_EQ(key_of([](TrainConfig& c) { c.data.push_back(c.data[0]); }), "data");
  EXPECT_EQ(key_of([](TrainConfig& c) { c.adapter = "first.gguf"; }), "adapter");
}

TEST_F(GoingOn, MayBeLongerElsewhereAndMeasuredOtherwise) {
  TrainConfig now = config;
  now.name = "another name";
  now.run = config.run_folder();
  now.out = directory.file("other.gguf");
  now.steps = 96;
  now.threads = 7;
  now.device = "cuda";
  now.recompute_above = 3000;
  now.dev = "dev.jsonl";
  now.dev_groups = 3;
  now.dev_every = 5;
  now.checkpoint_every = 6;
  EXPECT_EQ(refusal(now), "(not refused)");
}

TEST_F(GoingOn, IsRefusedWhereTheRunIsPastItsEnd) {
  config.steps = 19;
  EXPECT_THAT(refusal(config),
              HasSubstr("has 20 steps behind it, and the configuration's steps are 19; set more"));
  config.steps = 20;
  EXPECT_EQ(refusal(config), "(not refused)");
}

TEST_F(GoingOn, IsWithTheSameFilesWhereverTheyLie) {
  TrainConfig now = config;
  now.base = (std::filesystem::path(directory.file("")) / "." / "base.gguf").string();
  EXPECT_EQ(refusal(now), "(not refused)") << "another spelling";
  const auto moved = [&](const std::string& path) {
    const std::filesystem::path folder = directory.file("moved");
    std::filesystem::create_directories(folder);
    const std::filesystem::path to = folder / std::filesystem::path(path).filename();
    std::filesystem::rename(path, to);
    return to.string();
  };
  now = config;
  now.base = moved(config.base);
  now.data[0].file = moved(config.data[0].file);
  EXPECT_EQ(refusal(now), "(not refused)") << "nothing is left at the old place";
  touch(config.base);
  EXPECT_THAT(refusal(now), HasSubstr("was made with base \"" + config.base + "\""))
      << "another of that name";
  now.base = config.base;
  now.data[0].file = directory.file("others.jsonl");
  EXPECT_THAT(refusal(now), HasSubstr("was made with data [{\"file\":\"" + config.data[0].file));
}

TEST_F(GoingOn, FromAnOldCheckpointTakesWhatThatDoesNotKnowAsByDefault) {
  nlohmann::json old = to_json(config);
  old.erase("sees_from");
  old.erase("bridge");
  old["omega"].erase("reset");
  old["forgotten"] = 7;
  const Checkpoint checkpoint{.step = 20, .config = old.dump()};
  EXPECT_EQ(refusal(checkpoint, config), "(not refused)");
  config.omega.reset = true;
  EXPECT_THAT(refusal(checkpoint, config), HasSubstr("was made with omega.reset false"));
}

TEST_F(GoingOn, NeedsAConfiguration) {
  for (const char* text : {"", "7", "{\"data\": null}", "{\"base\": 7}"})
    EXPECT_THAT(refusal({.step = 20, .config = text}, config), HasSubstr("delete it to start again")) << text;
}

}  // namespace
}  // namespace lanerope::train
