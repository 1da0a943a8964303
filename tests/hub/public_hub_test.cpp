// SPDX-License-Identifier: Apache-2.0
#include "lanerope/hub.h"

#include <gmock/gmock.h>

#include <cstdlib>

#include "tests/hub/hub_fixture.h"

namespace lanerope {
namespace {

// As a program finds it that says nothing of where the hub is: by the environment.
class PublicHub : public hub::WithHub {
 protected:
  PublicHub() {
    setenv("HF_ENDPOINT", hub.endpoint().c_str(), 1);
    setenv("HF_HOME", directory.path().c_str(), 1);
    setenv("XDG_CACHE_HOME", directory.path().c_str(), 1);
  }
  ~PublicHub() override {
    for (const char* name : {"HF_ENDPOINT", "HF_HOME", "XDG_CACHE_HOME"}) unsetenv(name);
  }

  const std::string model = hub::some_bytes(100'000, 7);
};

TEST_F(PublicHub, AModelIsFetchedOnceAndItsProgressTold) {
  hub.put("user/repo", "a-Q4_K_M.gguf", model);
  std::vector<HubProgress> told;
  const HubOptions watched{.progress = [&](const HubProgress& progress) { told.push_back(progress); }};
  const std::string file = hub_model("hf:user/repo:Q4_K_M", watched);
  EXPECT_EQ(hub::bytes_of(file), model);
  ASSERT_FALSE(told.empty());
  EXPECT_EQ(told.back().file, "a-Q4_K_M.gguf");
  EXPECT_EQ(told.back().done, model.size());
  EXPECT_TRUE(told.back().complete);
  EXPECT_EQ(hub_model("hf:user/repo:Q4_K_M", {.offline = true}), file);
}

TEST_F(PublicHub, ANameOfAFileStaysAsItIs) {
  EXPECT_FALSE(names_hub("models/a.gguf"));
  EXPECT_EQ(hub_model("models/a.gguf"), "models/a.gguf");
  EXPECT_EQ(hub_adapter("lanes.gguf"), "lanes.gguf");
}

TEST_F(PublicHub, AnAdapterIsChosenByTheRulesForAdapters) {
  hub.put("user/lora", "adapter.gguf", model, false);
  EXPECT_EQ(hub::bytes_of(hub_adapter("hf:user/lora")), model);
}

TEST_F(PublicHub, WhatCannotBeHadIsRefusedByKind) {
  EXPECT_THROW(hub_model("hf:user/nothing"), InvalidRequest);
  EXPECT_THROW(hub_model("hf:user/repo", {.offline = true}), InvalidRequest);
  EXPECT_THROW(hub_model("hf:user/repo", {.token = "two\nlines"}), InvalidRequest);
  hub.put("user/repo", "a-Q8_0.gguf", model);
  EXPECT_THROW(hub_model("hf:user/repo", {.stopped = [] { return true; }}), SystemError);
}

}  // namespace
}  // namespace lanerope
