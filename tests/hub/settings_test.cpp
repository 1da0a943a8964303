// SPDX-License-Identifier: Apache-2.0
#include "hub/settings.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "lanerope/errors.h"
#include "tests/support/temporary_directory.h"

namespace lanerope::hub {
namespace {

using Variables = std::map<std::string, std::string>;

Settings settings_with(Variables variables) {
  variables.try_emplace("HOME", "/home/somebody");
  return settings_from([&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

TEST(HubSettings, WithoutVariablesAreTheHubsOwn) {
  const Settings settings = settings_with({});
  EXPECT_EQ(settings.endpoint, "https://huggingface.co");
  EXPECT_EQ(settings.cache, "/home/somebody/.cache/huggingface/hub");
  EXPECT_EQ(settings.url_cache, "/home/somebody/.cache/llama.cpp");
  EXPECT_EQ(settings.token.value, "");
  EXPECT_FALSE(settings.offline);
}

// llama.cpp's order, the most important last.
TEST(HubSettings, TheCacheIsNamedByTheFirstVariableThatIsSet) {
  Variables variables;
  const auto cache = [&] { return settings_with(variables).cache.string(); };
  variables["XDG_CACHE_HOME"] = "/xdg";
  EXPECT_EQ(cache(), "/xdg/huggingface/hub");
  variables["HF_HOME"] = "~/hf";
  EXPECT_EQ(cache(), "/home/somebody/hf/hub");
  variables["HUGGINGFACE_HUB_CACHE"] = "/old";
  EXPECT_EQ(cache(), "/old");
  variables["HF_HUB_CACHE"] = "/hub";
  EXPECT_EQ(cache(), "/hub");
  variables["LLAMA_CACHE"] = "/llama";
  EXPECT_EQ(cache(), "/llama");
  variables["LLAMA_CACHE"] = "";
  EXPECT_EQ(cache(), "/hub");
}

TEST(HubSettings, EndpointsAreUrls) {
  EXPECT_EQ(settings_with({{"HF_ENDPOINT", "https://a.example/"}}).endpoint, "https://a.example");
  EXPECT_EQ(settings_with({{"HF_ENDPOINT", "https://a"}, {"MODEL_ENDPOINT", "http://b/x"}}).endpoint,
            "http://b/x");
  EXPECT_THROW(settings_with({{"HF_ENDPOINT", "a.example"}}), InvalidRequest);
}

TEST(HubSettings, OfflineIsASwitch) {
  EXPECT_TRUE(settings_with({{"HF_HUB_OFFLINE", "1"}}).offline);
  EXPECT_TRUE(settings_with({{"TRANSFORMERS_OFFLINE", "Yes"}}).offline);
  EXPECT_TRUE(settings_with({{"LLAMA_ARG_OFFLINE", "true"}}).offline);
  EXPECT_FALSE(settings_with({{"HF_HUB_OFFLINE", "0"}}).offline);
}

TEST(HubSettings, TokensComeFromAVariableOrAFile) {
  const support::TemporaryDirectory directory;
  std::ofstream(directory.file("token")) << "hf_from_file\n";
  const std::string home = directory.path();
  EXPECT_EQ(settings_with({{"HF_HOME", home}}).token.value, "hf_from_file");
  EXPECT_EQ(settings_with({{"HF_TOKEN_PATH", home + "/token"}}).token.from, home + "/token");
  EXPECT_EQ(settings_with({{"HF_HOME", home}, {"HF_HUB_DISABLE_IMPLICIT_TOKEN", "1"}}).token.value, "");
  const Settings both = settings_with({{"HF_HOME", home}, {"HF_TOKEN", "hf_variable"}});
  EXPECT_EQ(both.token.value, "hf_variable");
  EXPECT_EQ(both.token.from, "HF_TOKEN");
  EXPECT_THROW(settings_with({{"HF_TOKEN", "hf_a\nX-Header: b"}}), InvalidRequest);
}

TEST(HubSettings, NoHomeIsSaid) {
  EXPECT_THROW(settings_with({{"HOME", ""}}), InvalidRequest);
}

}  // namespace
}  // namespace lanerope::hub
