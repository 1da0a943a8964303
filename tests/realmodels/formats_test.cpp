// SPDX-License-Identifier: Apache-2.0
// A real model that keeps to formats: its answers have the form, and within it they are its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>

#include "tests/support/engine_run.h"

namespace lanerope {
namespace {

using nlohmann::json;
using support::GroupRun;

class RealFormats : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(LANEROPE_SMOLLM2)) GTEST_SKIP() << "script/model smollm2 brings the model";
    static const std::shared_ptr<const Model> model = Model::load({.file = LANEROPE_SMOLLM2, .threads = 1});
    engine = std::make_unique<Engine>(model, EngineOptions{.kv_cells = 2048});
  }

  GroupRun run(const std::string& question, AnswerFormat format, int32_t lanes = 1, float temperature = 0) {
    return support::run_group(*engine, {.prompt = {.messages = {{.role = "user", .content = question}}},
                                        .lanes = lanes,
                                        .budget = 128,
                                        .sampling = {.temperature = temperature, .seed = 1},
                                        .format = std::move(format),
                                        .selection = {.kind = SelectionKind::none}});
  }

  std::unique_ptr<Engine> engine;
};

TEST_F(RealFormats, ASchemaIsFilledWithWhatTheTextSays) {
  const AnswerFormat person{.kind = FormatKind::json_schema,
                            .text = R"({"type":"object","properties":{"name":{"type":"string","maxLength":40},
    "year":{"type":"integer","minimum":1,"maximum":2100}},"required":["name","year"],"additionalProperties":false})"};
  const GroupRun greedy =
      run("Ada Lovelace was born in 1815. Write her name and year of birth as JSON.", person);
  ASSERT_EQ(greedy.result.lanes[0].finish, FinishReason::end) << greedy.result.lanes[0].text;
  const json value = json::parse(greedy.result.lanes[0].text);
  EXPECT_THAT(value["name"].get<std::string>(), testing::HasSubstr("Ada"));
  EXPECT_TRUE(value["year"].is_number_integer());
  const GroupRun drawn = run("Invent a person. Write the name and year of birth as JSON.", person, 6, 1.5F);
  for (const LaneResult& lane : drawn.result.lanes) {
    if (lane.finish == FinishReason::length) continue;
    EXPECT_EQ(json::parse(lane.text).size(), 2U) << lane.text;
  }
}

TEST_F(RealFormats, AChoiceIsTheModelsOwn) {
  const AnswerFormat colour{.kind = FormatKind::choice, .choices = {"red", "blue", "green"}};
  EXPECT_EQ(run("What colour is the sky on a clear day? Answer with one word.", colour).result.lanes[0].text,
            "blue");
}

TEST_F(RealFormats, AnExpressionHoldsWhateverTheTemperature) {
  const AnswerFormat date{.kind = FormatKind::regex, .text = R"(20\d\d-(0[1-9]|1[0-2])-[0-3]\d)"};
  for (const LaneResult& lane : run("When?", date, 8, 3).result.lanes)
    EXPECT_TRUE(std::regex_match(lane.text, std::regex(date.text))) << lane.text;
}

// What the format allows anyway is drawn as without it.
TEST_F(RealFormats, AFormatThatAllowsEverythingChangesNothing) {
  const AnswerFormat anything{.kind = FormatKind::grammar, .text = "root ::= .*"};
  const GroupRun with = run("Name three rivers.", anything, 2, 0.7F);
  const GroupRun without = run("Name three rivers.", {}, 2, 0.7F);
  for (size_t m = 0; m < 2; ++m) EXPECT_EQ(with.result.lanes[m].text, without.result.lanes[m].text);
}

}  // namespace
}  // namespace lanerope
