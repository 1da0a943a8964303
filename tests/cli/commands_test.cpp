// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cli/program.h"

namespace lanerope::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Tokenize, IdsDecodeToTheText) {
  const std::string text = "Straße, 数学 and <|im_start|>";
  const Outcome ids = run_program({.arguments = {"tokenize", "-m", tiny_model(), "--ids", text}});
  ASSERT_EQ(ids.status, 0) << ids.err;
  EXPECT_TRUE(nlohmann::json::parse(ids.out).is_array());
  const Outcome back = run_program({.arguments = {"tokenize", "-m", tiny_model(), "--decode", ids.out}});
  EXPECT_EQ(back.out, text + "\n");
}

TEST(Tokenize, SpecialTokensAreParsedUnlessToldNotTo) {
  const auto count = [](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"tokenize", "-m", tiny_model(), "--ids", "<|im_start|>"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return nlohmann::json::parse(run_program({.arguments = arguments}).out).size();
  };
  EXPECT_LT(count({}), count({"--no-parse-special"}));
}

TEST(Tokenize, TheTableShowsHalfCharactersAsBytes) {
  const Outcome outcome = run_program({.arguments = {"tokenize", "-m", tiny_model(), "é"}});
  EXPECT_THAT(outcome.out, HasSubstr("\"\\xc3\""));
}

nlohmann::json score(const std::string& line, const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments = {"score", "-m", tiny_model(), "--kv-type", "f32"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const Outcome outcome = run_program({.arguments = arguments, .input = line + "\n"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  return nlohmann::json::parse(outcome.out);
}

TEST(Score, TextAndIdsAreTheSame) {
  const nlohmann::json by_text =
      score(R"({"prompt": "one", "lanes": ["two"]})", {"--coupling", "independent"});
  const auto ids = [](const std::string& text) {
    return run_program({.arguments = {"tokenize", "-m", tiny_model(), "--ids", text}}).out;
  };
  const nlohmann::json by_ids =
      score(R"({"prompt_tokens": )" + ids("one").substr(0, ids("one").size() - 1) + R"(, "lanes": [)" +
                ids("two").substr(0, ids("two").size() - 1) + "]}",
            {"--coupling", "independent"});
  EXPECT_EQ(by_text, by_ids);
}

TEST(Score, WhatATraceHasBesidesIsPassedOver) {
  const std::string line = R"("prompt": "one", "lanes": ["two"])";
  EXPECT_EQ(
      score("{" + line + R"(, "id": 7, "question": "q", "answer": "a", "labels": [true], "ended": [true])" +
            R"(, "second_stage": {}, "parts": [], "k": 1, "samples": 8, "right": 2})"),
      score("{" + line + "}"));
}

TEST(Score, LanesOfAnUntrainedModelAreScoredAsIfAlone) {
  const nlohmann::json both = score(R"({"prompt": "one", "lanes": ["two three", "four"]})");
  const nlohmann::json alone =
      score(R"({"prompt": "one", "lanes": ["four"]})", {"--coupling", "independent"});
  EXPECT_NEAR(both["lanes"][1]["sum"].get<double>(), alone["lanes"][0]["sum"].get<double>(), 1e-3);
  const nlohmann::json coupled =
      score(R"({"prompt": "one", "lanes": ["two three", "four five"]})", {"--coupling", "lanerope"});
  EXPECT_NE(coupled["lanes"][0]["sum"], both["lanes"][0]["sum"]);
}

TEST(Score, LargestLogitsComeLargestFirst) {
  const nlohmann::json scored = score(R"({"prompt": "one", "lanes": ["two"]})", {"--logits", "5"});
  for (const nlohmann::json& top : scored["lanes"][0]["top_logits"]) {
    ASSERT_EQ(top.size(), 5);
    for (size_t k = 1; k < 5; ++k) EXPECT_GE(top[k - 1][1].get<float>(), top[k][1].get<float>());
  }
}

TEST(Inspect, ThePromptIsCountedOnce) {
  const Outcome outcome = run_program(
      {.arguments = {"inspect", tiny_model(), "--json", "-n", "8", "-b", "100", "--prompt-tokens", "1000"}});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const nlohmann::json memory = nlohmann::json::parse(outcome.out)["memory"];
  const int64_t cell = memory["bytes_per_cell"];
  // 3 layers, keys and values of 2 heads of 32, 2 bytes each.
  EXPECT_EQ(cell, 3 * 2 * 2 * 32 * 2);
  // In pages of 64: 16 for the prompt, 2 for each lane; 18 each for lanes that share nothing.
  EXPECT_EQ(memory["cells"], (16 + 8 * 2) * 64);
  EXPECT_EQ(memory["kv_bytes"], (16 + 8 * 2) * 64 * cell);
  EXPECT_EQ(memory["separate_kv_bytes"], 8 * (16 + 2) * 64 * cell);
}

TEST(Inspect, TensorsAndKeysAreListedOnRequest) {
  const Outcome outcome = run_program({.arguments = {"inspect", tiny_model(), "--tensors", "--keys"}});
  EXPECT_THAT(outcome.out, HasSubstr("blk.0.attn_q.weight"));
  EXPECT_THAT(outcome.out, HasSubstr("general.architecture"));
  EXPECT_THAT(outcome.out, HasSubstr("prompt, stored once"));
}

TEST(Inspect, ExpertsAreShownWhereThereAreSome) {
  const Outcome outcome = run_program({.arguments = {"inspect", experts_model()}});
  EXPECT_THAT(outcome.out, HasSubstr("  experts           8 a layer, 2 for a token\n"));
  EXPECT_THAT(outcome.out, HasSubstr(" of them for a token\n"));
  EXPECT_THAT(run_program({.arguments = {"inspect", tiny_model()}}).out, Not(HasSubstr("experts")));
  const Outcome json = run_program({.arguments = {"inspect", experts_model(), "--json"}});
  EXPECT_EQ(nlohmann::json::parse(json.out)["model"]["n_expert_used"], 2);
}

TEST(Inspect, ShowsWhatGoesWhereOnRequest) {
  EXPECT_THAT(run_program({.arguments = {"inspect", tiny_model()}}).out, Not(HasSubstr("Placement")));
  const std::vector<std::string> arguments = {"inspect", tiny_model(), "--device",        "none", "-n", "2",
                                              "-b",      "64",         "--prompt-tokens", "64"};
  const Outcome text = run_program({.arguments = arguments});
  EXPECT_THAT(text.out, HasSubstr("Placement  "));
  EXPECT_THAT(text.out, HasSubstr("0-2, output")) << "all three layers on the CPU";
  std::vector<std::string> with_json = arguments;
  with_json.emplace_back("--json");
  const nlohmann::json json = nlohmann::json::parse(run_program({.arguments = with_json}).out);
  const nlohmann::json& placement = json["placement"];
  EXPECT_EQ(placement["fits"], true);
  EXPECT_EQ(placement["fitting_gpu_layers"], nullptr);
  ASSERT_EQ(placement["devices"].size(), 1);
  const nlohmann::json& cpu = placement["devices"][0];
  EXPECT_EQ(cpu["device"], "cpu");
  EXPECT_EQ(cpu["layers"], (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(cpu["weight_bytes"], json["model"]["weight_bytes"]);
  EXPECT_EQ(cpu["kv_bytes"], json["memory"]["kv_bytes"]);
  const int64_t free = cpu["memory_free"];
  EXPECT_EQ(cpu["memory_left"], free - cpu["weight_bytes"].get<int64_t>() - cpu["kv_bytes"].get<int64_t>());
}

TEST(Inspect, AnAdapterTellsItsCoupling) {
  const Outcome outcome = run_program({.arguments = {"inspect", adapter(), "--json"}});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const nlohmann::json json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["kind"], "adapter");
  EXPECT_EQ(json["adapter"]["coupling"]["stride"], 64);
}

TEST(Bench, MeasuresEveryCombination) {
  const Outcome outcome = run_program({.arguments = {"bench", "-m", tiny_model(), "-n", "1,2", "-p", "8,16",
                                                     "-g", "4", "-r", "1", "--paths", "ggml", "--json"}});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const nlohmann::json json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["prefill"].size(), 2);
  // For each prompt: one lane once, two lanes with each of the two couplings.
  ASSERT_EQ(json["decode"].size(), 6);
  // The prompt and every lane fill one page each.
  const int64_t page = json["decode"][0]["kv_bytes"].get<int64_t>() / 2;
  for (const nlohmann::json& row : json["decode"]) {
    EXPECT_GT(row["tokens_per_second"], 0);
    EXPECT_EQ(row["kv_bytes"], page * (1 + row["lanes"].get<int>()));
    EXPECT_GT(row["graph_nodes"], 0);
    EXPECT_LE(row["graph_builds"], 3) << "one for the steps, and what the prompt needs";
  }
}

TEST(Bench, MeasuresWithoutAdaptersAndWithThem) {
  const Outcome outcome =
      run_program({.arguments = {"bench", "-m", tiny_model(), "--lora", adapter(), "-n", "2", "-p", "8", "-g",
                                 "4", "-r", "1", "--couplings", "independent", "--json"}});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const nlohmann::json json = nlohmann::json::parse(outcome.out);
  for (const char* table : {"prefill", "decode"}) {
    ASSERT_EQ(json[table].size(), 2) << table;
    EXPECT_EQ(json[table][0]["adapters"], 0);
    EXPECT_FALSE(json[table][0].contains("over_none"));
    EXPECT_EQ(json[table][1]["adapters"], 1);
    EXPECT_DOUBLE_EQ(json[table][1]["over_none"].get<double>(),
                     json[table][1]["tokens_per_second"].get<double>() /
                         json[table][0]["tokens_per_second"].get<double>());
  }
}

TEST(Bench, CellsOfF32AreComputedByPlainGgml) {
  const Outcome outcome = run_program({.arguments = {"bench", "-m", tiny_model(), "-n", "1", "-p", "8", "-g",
                                                     "4", "-r", "1", "--kv-type", "f32", "--json"}});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(nlohmann::json::parse(outcome.out)["decode"][0]["back_end"], "ggml");
}

TEST(Devices, AreListedAndLayersNeedOne) {
  const Outcome list = run_program({.arguments = {"run", "--list-devices"}});
  EXPECT_EQ(list.status, 0) << list.err;
  EXPECT_THAT(list.out, HasSubstr("cpu"));
  const Outcome refused = run_program({.arguments = {"run", "-m", tiny_model(), "-ngl", "2", "hello"}});
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, HasSubstr("--list-devices"));
}

TEST(Chat, AnswersAreRememberedAndCommandsObeyed) {
  const std::vector<std::string> arguments = {"chat", "-m", tiny_model(), "-b", "16",
                                              "-n",   "3",  "--seed",     "1"};
  const Outcome outcome =
      run_program({.arguments = arguments,
                   .input = "hello\n/lanes 2\n/coupling independent\nagain\n/help\n/quit\nnever\n"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("of 3, selected"));
  EXPECT_THAT(outcome.out, HasSubstr("of 2, selected"));
  EXPECT_THAT(outcome.out, HasSubstr("/forget"));
  EXPECT_THAT(outcome.err, HasSubstr("answer goes on into the conversation"));
  // The second prompt holds the first turn and is read from where that ended.
  EXPECT_THAT(outcome.err, HasSubstr("kept"));
}

TEST(Chat, UnknownCommandsAreRefused) {
  const Outcome outcome = run_program({.arguments = {"chat", "-m", tiny_model()}, .input = "/dance\n"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("there is no command /dance"));
}

}  // namespace
}  // namespace lanerope::cli
