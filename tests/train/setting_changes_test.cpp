// SPDX-License-Identifier: Apache-2.0
#include "train/setting_changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "train/train_config.h"

namespace lanerope::train {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(SettingChanges, AreNamedAsTheCommandLineHasThem) {
  const TrainConfig before;
  TrainConfig now;
  now.omega.stride = 300;
  now.learning_rate = 0.5;
  now.lora.targets = {"attn_q"};
  const std::vector<SettingChange> changes = setting_changes(to_json(before), to_json(now));
  std::vector<std::string> keys;
  for (const SettingChange& change : changes) keys.push_back(change.key);
  ASSERT_THAT(keys, ElementsAre("learning_rate", "lora.targets", "omega.stride"));
  EXPECT_EQ(changes[0].before, 2e-3);
  EXPECT_EQ(changes[0].now, 0.5);
  EXPECT_EQ(changes[1].now.dump(), R"(["attn_q"])") << "a list is one value";
  EXPECT_EQ(changes[2].before, 256);
  EXPECT_EQ(changes[2].now, 300);
}

TEST(SettingChanges, AreNoneOfWhatIsTheSame) {
  TrainConfig config;
  config.lora.alpha = 0.3F;
  const nlohmann::json read = nlohmann::json::parse(to_json(config).dump());
  EXPECT_THAT(setting_changes(read, to_json(config)), IsEmpty()) << "numbers are read as they were written";
}

}  // namespace
}  // namespace lanerope::train
