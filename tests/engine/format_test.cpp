// SPDX-License-Identifier: Apache-2.0
// Lanes that keep to a format: each by itself, also those that are forked, pushed or begun with a text, and
// whatever else the engine does beside them. The model is a random one, which would never write JSON.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <string>

#include "lanerope/errors.h"
#include "tests/support/engine_run.h"
#include "tests/support/random_models.h"

namespace lanerope::engine {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

constexpr auto point = R"({"type":"object","properties":{"x":{"type":"integer","minimum":0,"maximum":99},
  "y":{"enum":["left","right"]}},"required":["x","y"],"additionalProperties":false})";

class Formats : public testing::TestWithParam<BackEnd> {
 protected:
  std::shared_ptr<const Model> model = support::load_model(
      tools::RandomModel{.n_layer = 1, .width = 64, .n_ffn = 64, .context = 512}, GetParam());
  Engine engine{model, {.kv_cells = 2048, .keep_prefixes = false}};

  static Request request(int32_t lanes, FormatKind kind, std::string text, uint64_t seed = 1) {
    return {.prompt = {.text = "Where?"},
            .lanes = lanes,
            .budget = 240,
            .coupling = {.kind = CouplingKind::lanerope},
            .tag = "<lane{k}>",
            .sampling = {.temperature = 1, .top_k = 0, .top_p = 1, .min_p = 0, .seed = seed},
            .format = {.kind = kind, .text = std::move(text)},
            .selection = {.kind = SelectionKind::none}};
  }

  std::string refusal(const Request& request) {
    try {
      resolve(*model, request);
    } catch (const InvalidRequest& error) {
      return error.what();
    }
    return "";
  }
};

TEST_P(Formats, EveryLaneKeepsToItsSchema) {
  const support::GroupRun run = support::run_group(engine, request(4, FormatKind::json_schema, point));
  std::set<std::string> texts;
  for (const LaneResult& lane : run.result.lanes) {
    ASSERT_EQ(lane.finish, FinishReason::end) << lane.text;
    const json value = json::parse(lane.text);
    EXPECT_EQ(value.size(), 2U);
    EXPECT_LE(value["x"].get<int>(), 99);
    EXPECT_TRUE(value["y"] == "left" || value["y"] == "right");
    texts.insert(value.dump());
  }
  EXPECT_GT(texts.size(), 1U) << "each has a state of its own";
}

TEST_P(Formats, VotesAreForWhatTheFormatMade) {
  const auto answer_of = [&](FormatKind kind, const std::string& text,
                             std::vector<std::string> choices = {}) {
    Request asked = request(2, kind, text);
    asked.format.choices = std::move(choices);
    asked.selection.kind = SelectionKind::vote;
    const support::GroupRun run = support::run_group(engine, asked);
    EXPECT_EQ(run.result.votes.size(), 1U) << run.result.lanes[0].text;
    EXPECT_EQ(run.result.votes.at(0).count, 2);
    return run.result.votes.at(0).answer;
  };
  const auto object = [](const std::string& properties, const std::string& required) {
    return R"({"type":"object","properties":{)" + properties + R"(},"required":[)" + required +
           R"(],"additionalProperties":false})";
  };
  EXPECT_EQ(answer_of(FormatKind::json_schema,
                      object(R"("answer":{"const":7},"steps":{"enum":[1,2,3,4,5]})", R"("answer","steps")")),
            "7")
      << "whatever the steps are";
  EXPECT_EQ(
      answer_of(FormatKind::json_schema, object(R"("b":{"const":2},"a":{"const":"x 1"})", R"("b","a")")),
      R"({"a":"x 1","b":2})");
  EXPECT_EQ(answer_of(FormatKind::choice, "", {"3 apples"}), "3 apples");
}

TEST_P(Formats, ASeededLaneIsTheSameAloneAndBesideOthers) {
  const Request seeded = request(2, FormatKind::json_schema, point, 7);
  const support::GroupRun alone = support::run_group(engine, seeded);
  support::Runner runner(engine);
  const GroupId first = engine.submit(request(3, FormatKind::regex, "[ab]{20,40}"));
  runner.step();
  const GroupId second = engine.submit(seeded);
  const GroupId third = engine.submit(request(1, FormatKind::any, ""));
  runner.finish();
  for (size_t m = 0; m < 2; ++m)
    EXPECT_EQ(runner.run(second).result.lanes[m].text, alone.result.lanes[m].text);
  for (const LaneResult& lane : runner.run(first).result.lanes)
    EXPECT_TRUE(std::regex_match(lane.text, std::regex("[ab]{20,40}"))) << lane.text;
  EXPECT_NO_THROW(rethrow_failure(runner.run(third).result));
}

TEST_P(Formats, AnAnswerThatItsBudgetCutsSaysSo) {
  Request cut = request(1, FormatKind::regex, "[ab]{50,60}");
  cut.max_tokens = 5;
  const LaneResult lane = support::run_group(engine, cut).result.lanes[0];
  EXPECT_EQ(lane.finish, FinishReason::length);
  EXPECT_TRUE(std::regex_match(lane.text, std::regex("[ab]+"))) << lane.text;
}

TEST_P(Formats, LogProbabilitiesAreTheModelsOwn) {
  Request one = request(1, FormatKind::choice, "");
  one.format.choices = {"yes"};
  one.logprobs = true;
  const support::GroupRun run = support::run_group(engine, one);
  EXPECT_EQ(run.result.lanes[0].text, "yes");
  for (const float logprob : run.logprobs(0)) EXPECT_LT(logprob, -0.1F) << "and not that of the only choice";
}

TEST_P(Formats, ForksGoOnFromWhereTheirParentStood) {
  support::Runner runner(engine);
  Request forked = request(1, FormatKind::regex, "a{6}[bc]{6}d");
  forked.reserved_lanes = 3;
  const GroupId id = engine.submit(forked);
  const int32_t start = static_cast<int32_t>(model->encode("<lane1>", {.add_special = false}).size());
  for (int i = 0; i < start + 6; ++i) runner.step();
  engine.spawn(id, {.parent = 0});
  engine.spawn(id, {.parent = 0, .fork_step = start + 3});
  engine.spawn(id, {.text = "aa"});
  runner.finish();
  ASSERT_EQ(runner.run(id).result.lanes.size(), 4U);
  for (const LaneResult& lane : runner.run(id).result.lanes) {
    EXPECT_EQ(lane.finish, FinishReason::end);
    EXPECT_TRUE(std::regex_match(lane.text, std::regex("a{6}[bc]{6}d"))) << lane.text;
  }
}

TEST_P(Formats, ALaneThatHasEndedCanBeForkedBeforeItsEndOnly) {
  support::Runner runner(engine);
  Request two = request(2, FormatKind::regex, "a|b{30}");
  two.tag = "";
  two.lane_texts = {"a", "b"};
  two.reserved_lanes = 1;
  const GroupId id = engine.submit(two);
  for (int i = 0; i < 6; ++i) runner.step();
  EXPECT_THROW(engine.spawn(id, {.parent = 0}), InvalidRequest);
  EXPECT_THROW(engine.spawn(id, {.text = "c"}), InvalidRequest);
  runner.finish();
  EXPECT_EQ(runner.run(id).result.lanes[0].text, "a");
  EXPECT_EQ(runner.run(id).result.lanes[1].text, std::string(30, 'b'));
}

TEST_P(Formats, PushedTextMovesTheLaneOrIsRefused) {
  support::Runner runner(engine);
  Request one = request(1, FormatKind::regex, "a{4}bb[cd]{3}");
  one.tag = "";
  const GroupId id = engine.submit(one);
  runner.step();
  ASSERT_LT(runner.run(id).tokens(0).size(), 4U);
  EXPECT_THROW(engine.push_text(id, 0, "x"), InvalidRequest);
  const std::string missing(4 - runner.run(id).tokens(0).size(), 'a');
  engine.push_text(id, 0, missing + "b");
  EXPECT_THROW(engine.push_text(id, 0, "c"), InvalidRequest) << "behind what is forced already";
  engine.push_text(id, 0, "bc");
  runner.finish();
  EXPECT_THAT(runner.run(id).result.lanes[0].text, StartsWith("aaaabbc"));
  EXPECT_EQ(runner.run(id).result.lanes[0].finish, FinishReason::end);
}

TEST_P(Formats, TheTextOfALaneBeginsSuchAnAnswer) {
  Request begun = request(2, FormatKind::json_schema, point);
  begun.lane_texts = {"{\"x\": 4", "{"};
  const support::GroupRun run = support::run_group(engine, begun);
  EXPECT_THAT(run.result.lanes[0].text, StartsWith("{\"x\": 4"));
  for (const LaneResult& lane : run.result.lanes)
    EXPECT_FALSE(json::parse(lane.text, nullptr, false).is_discarded());
  begun.lane_texts = {"{", "I say"};
  EXPECT_THAT(refusal(begun), HasSubstr("the text of lane 2 does not keep to the answer's format"));
}

TEST_P(Formats, WhatCannotBeIsRefused) {
  EXPECT_THAT(refusal(request(1, FormatKind::json_schema, "{\"type\":\"object\",\"not\":{}}")),
              HasSubstr("not"));
  Request endless = request(1, FormatKind::json_schema, point);
  endless.ignore_end = true;
  EXPECT_THAT(refusal(endless), HasSubstr("keep to a format"));
  Request thinks = request(1, FormatKind::any, "");
  thinks.thinking_budget = 5;
  EXPECT_THAT(refusal(thinks), HasSubstr("marks the thinking"));
}

TEST_P(Formats, ABiasThatBansWhatTheFormatAllowsEndsTheGroupAlone) {
  Request one = request(1, FormatKind::choice, "");
  one.format.choices = {"a"};
  one.tag = "";
  one.sampling.logit_bias = {
      {.token = model->encode("a", {.add_special = false}).front(), .bias = -INFINITY}};
  support::Runner runner(engine);
  const GroupId id = engine.submit(one);
  const GroupId other = engine.submit(request(1, FormatKind::json_schema, point));
  runner.finish();
  EXPECT_THROW(rethrow_failure(runner.run(id).result), InvalidRequest);
  EXPECT_FALSE(json::parse(runner.run(other).result.lanes[0].text, nullptr, false).is_discarded());
}

INSTANTIATE_TEST_SUITE_P(BackEnds, Formats, testing::Values(BackEnd::kernels, BackEnd::ggml),
                         [](const auto& of) { return std::string(name(of.param)); });

}  // namespace
}  // namespace lanerope::engine
