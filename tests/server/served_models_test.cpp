// SPDX-License-Identifier: Apache-2.0
// The names that clients find, and what stands behind them.
#include "server/served_models.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "lanerope/errors.h"
#include "tests/server/running_server.h"
#include "tests/support/random_models.h"
#include "tests/support/temporary_directory.h"

namespace lanerope::server {
namespace {

using ::testing::HasSubstr;

TEST(ServedModels, AreNamedAfterTheirFiles) {
  EXPECT_EQ(model_name_of("/models/My Model.Q4_K_M.gguf"), "My-Model.Q4_K_M");
  EXPECT_EQ(model_name_of("big-00001-of-00003.gguf"), "big");
  EXPECT_EQ(model_name_of("lanes.lora.gguf"), "lanes");
  EXPECT_EQ(model_name_of(".gguf"), "lanerope");
}

TEST(ServedModels, AreTheBaseItsAdaptersAndPresets) {
  ModelInfo info;
  info.adapters = {{.file = "/x/sums.gguf"}, {.file = "/x/code.gguf"}};
  const auto models = served_models(info, "base", {{"", {{"n", 1}}}, {"careful", {{"temperature", 0}}}});
  ASSERT_EQ(models.size(), 4U);
  EXPECT_EQ(models[0].id, "base");
  EXPECT_EQ(models[2].id, "base:code");
  EXPECT_EQ(models[2].adapter, 1);
  EXPECT_EQ(models[3].id, "careful");
}

TEST(Presets, FillWhatAClientLeavesOpen) {
  const Presets presets = {{"", {{"lanes", {{"count", 4}}}, {"top_k", 5}}},
                           {"careful", {{"temperature", 0.2}, {"top_k", 9}}}};
  const Json filled = with_presets(presets, "careful", {{"temperature", 1}, {"lanes", nullptr}}, false);
  EXPECT_EQ(filled["temperature"], 1) << "the client's";
  EXPECT_EQ(filled["top_k"], 9) << "the model's before everybody's";
  EXPECT_EQ(filled["lanes"]["count"], 4) << "null says nothing";
  EXPECT_FALSE(with_presets(presets, "", Json::object(), true).contains("lanes"))
      << "a group says what it is";
}

TEST(Presets, GiveWayToAClientWhateverNameItHasForAField) {
  const Presets presets = {
      {"brief", {{"max_tokens", 2}, {"repeat_penalty", 1.1}, {"thinking_token_budget", 9}}}};
  const Json filled =
      with_presets(presets, "brief", {{"max_completion_tokens", 5}, {"reasoning_budget_tokens", 3}}, false);
  EXPECT_FALSE(filled.contains("max_tokens") || filled.contains("thinking_token_budget"));
  EXPECT_EQ(filled["repeat_penalty"], 1.1);
}

template <typename... Against>
std::string complaint(const Presets& presets, const Against&... against) {
  try {
    check_presets(presets, against...);
  } catch (const InvalidRequest& error) {
    return error.what();
  }
  return "";
}

TEST(Presets, AreCheckedBeforeAnybodyAsks) {
  EXPECT_EQ(complaint({{"good", {{"temperature", 0.5}, {"lanes", {{"count", 4}, {"consensus", 3}}}}}}), "");
  EXPECT_THAT(complaint({{"", {{"lanes", {{"policies", {"prun"}}}}}}}),
              HasSubstr("there is no policy \"prun\""));
  EXPECT_THAT(complaint({{"bad", {{"temperature", "hot"}}}}),
              HasSubstr("the preset \"bad\": temperature must be"));
  EXPECT_THAT(complaint({{"bad", {{"temprature", 1}}}}), HasSubstr("temprature is no field"));
  EXPECT_THAT(complaint({{"bad", {{"max_tokens", 2}, {"n_predict", 5}}}}), HasSubstr("say two things"));
  EXPECT_THAT(complaint({{"bad", {{"lanes", {{"hold", true}}}}}}),
              HasSubstr("lanes.hold is for live groups"));
  EXPECT_THAT(complaint({{"", {{"lanes", {{"consensus", 3}}}}}}),
              HasSubstr("the lanes of this server: lanes.consensus"));
  const support::TemporaryDirectory directory;
  std::ofstream(directory.file("a.json")) << R"({"x": 3})";
  EXPECT_THROW(read_presets(directory.file("a.json")), InvalidRequest);
  EXPECT_THROW(read_presets(directory.file("missing.json")), SystemError);
  std::ofstream(directory.file("b.json")) << R"({"x": {"top_k": 3}})";
  EXPECT_EQ(read_presets(directory.file("b.json")).at("x")["top_k"], 3);
}

TEST(Presets, AreCheckedAgainstTheModel) {
  RequestDefaults defaults = server_defaults();
  const auto of_lanes = [&](const Json& lanes) {
    return complaint({{"", {{"lanes", lanes}}}}, *tiny_model(), defaults);
  };
  EXPECT_EQ(of_lanes({{"count", 4}, {"policies", {"refill"}}}), "");
  EXPECT_EQ(of_lanes({{"policies", {"refill"}}, {"return", "selected"}}), "");
  for (const char* adds : {"refill", "fork-on-doubt", "adaptive"})
    EXPECT_THAT(of_lanes({{"policies", {adds}}}),
                HasSubstr("the lanes of this server: a policy that adds lanes needs one answer"));
  EXPECT_THAT(of_lanes({{"select", "logprob"}, {"vote_weight", "logprob"}}),
              HasSubstr("a vote weight goes with selection by vote"));
  EXPECT_THAT(of_lanes({{"count", 4}, {"select", "verifier"}}), HasSubstr("started without a verifier"));
  defaults.verifier = "cat";
  EXPECT_EQ(of_lanes({{"count", 4}, {"select", "verifier"}}), "");
  EXPECT_THAT(complaint({{"sums", {{"lora", Json::parse(R"([{"id": 0}])")}}}}, *tiny_model(), defaults),
              HasSubstr("the preset \"sums\": lora names adapter 0"));
  EXPECT_EQ(complaint({{"on", {{"continue_final_message", true}}}}, *tiny_model(), defaults), "")
      << "for conversations that end with the assistant's words";
}

TEST(Presets, ThatTheModelRefusesKeepAServerFromStarting) {
  ServerOptions options;
  options.presets = {{"", {{"lanes", {{"count", 4}, {"select", "verifier"}}}}}};
  Server server(options);
  EXPECT_THROW(server.attach(tiny_model()), InvalidRequest);
}

TEST(Adapters, AreOffWhereAListDoesNotNameThem) {
  const std::string base = support::write_model(tools::preset_model("tiny"));
  const std::string adapter = support::write_adapter({.strength = 2, .seed = 3}, base);
  const auto model = support::load_model(base, BackEnd::kernels, {{.file = adapter}});
  const Running running({}, true, model);
  const auto text = [&](const std::string& more) {
    return post(running, "/v1/completions",
                R"({"prompt": "one two", "max_tokens": 12, "temperature": 0)" + more + "}")
        .json["choices"][0]["text"];
  };
  const Json on = text("");
  const Json off = text(R"(, "lora": [{"id": 0, "scale": 0}])");
  ASSERT_NE(on, off);
  EXPECT_EQ(text(R"(, "lora": [])"), off) << "those that it does not name are off";
  for (const char* list : {R"([{"id": 0, "scael": 0.5}])", R"([{"id": 0}, {"id": 0}])", R"([{"id": 1}])"})
    EXPECT_EQ(post(running, "/lora-adapters", list).status, 400) << list;
  EXPECT_EQ(text(""), on) << "what was refused changed nothing";
  EXPECT_EQ(post(running, "/lora-adapters", "[]").status, 200);
  EXPECT_EQ(text(""), off);
}

}  // namespace
}  // namespace lanerope::server
