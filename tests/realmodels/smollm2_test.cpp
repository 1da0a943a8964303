// SPDX-License-Identifier: Apache-2.0
// A real model against what llama.cpp makes of it; record.py says how the values were made. The products of a
// quantised model round activations to 8 bits, here and there in other places, so log-probabilities differ by
// what that costs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "hub/digest.h"
#include "tests/support/engine_run.h"
#include "tests/support/random_models.h"

namespace lanerope {
namespace {

using nlohmann::json;
using support::GroupRun;

constexpr double rounding = 0.06;       // mean difference of log-probabilities
constexpr double mean_rounding = 0.02;  // of their means, in which it cancels
constexpr double clear_margin = 0.6;  // between the two likeliest tokens: rounding does not change the choice

const json& record() {
  static const json all = json::parse(std::ifstream(LANEROPE_SMOLLM2_RECORD));
  return all;
}

bool is_there() {
  return std::filesystem::exists(LANEROPE_SMOLLM2);
}

// One thread: two wait for one another wherever anything else runs on the machine.
std::shared_ptr<const Model> load(BackEnd back_end, std::vector<AdapterOptions> adapters = {}) {
  return Model::load(
      {.file = LANEROPE_SMOLLM2, .adapters = std::move(adapters), .threads = 1, .back_end = back_end});
}

const std::shared_ptr<const Model>& on_kernels() {
  static const std::shared_ptr<const Model> model = load(BackEnd::kernels);
  return model;
}

// Of each token but the first, given those before it.
std::vector<double> log_probabilities(const std::shared_ptr<const Model>& model,
                                      const std::vector<TokenId>& tokens) {
  Engine engine(model, {.kv_cells = 512});
  const ScoreResult result =
      engine.score({.prompt_tokens = {tokens.front()}, .lanes = {{tokens.begin() + 1, tokens.end()}}});
  std::vector<double> values;
  for (const ScoredToken& token : result.lanes.front()) values.push_back(token.logprob);
  return values;
}

struct Difference {
  double mean_absolute = 0;
  double of_means = 0;
};

// Over all recorded passages.
Difference difference(const std::shared_ptr<const Model>& model, const json& passages) {
  Difference result;
  size_t count = 0;
  for (const json& passage : passages) {
    const std::vector<double> ours = log_probabilities(model, passage["tokens"]);
    const std::vector<double> theirs = passage["values"];
    EXPECT_EQ(ours.size(), theirs.size());
    for (size_t i = 0; i < ours.size(); ++i) {
      result.mean_absolute += std::abs(ours[i] - theirs[i]);
      result.of_means += ours[i] - theirs[i];
    }
    count += ours.size();
  }
  result.mean_absolute /= static_cast<double>(count);
  result.of_means = std::abs(result.of_means / static_cast<double>(count));
  return result;
}

std::vector<Message> messages_of(const json& dialogue) {
  std::vector<Message> messages;
  for (const json& message : dialogue["messages"])
    messages.push_back({.role = message["role"], .content = message["content"]});
  return messages;
}

Request request_of(const json& dialogue, int32_t lanes, CouplingKind kind) {
  Request request{.prompt = {.messages = messages_of(dialogue)}, .lanes = lanes, .budget = 32};
  request.coupling.kind = kind;
  request.sampling.temperature = 0;
  return request;
}

class SmolLM2 : public testing::Test {
 protected:
  void SetUp() override {
    if (!is_there()) GTEST_SKIP() << "no " LANEROPE_SMOLLM2 ": script/model smollm2 fetches it";
  }
};

TEST_F(SmolLM2, IsTheFileThatWasRecorded) {
  EXPECT_EQ(hub::digest_file(LANEROPE_SMOLLM2).sha256, record()["model_sha256"].get<std::string>());
}

TEST_F(SmolLM2, TokenIdsOfHardStrings) {
  EXPECT_GE(record()["tokens"].size(), 50U);
  for (const json& entry : record()["tokens"]) {
    const std::string text = entry["text"];
    const std::vector<TokenId> ids = on_kernels()->encode(text, {.add_special = false});
    EXPECT_EQ(ids, entry["ids"].get<std::vector<TokenId>>()) << entry["text"].dump();
    EXPECT_EQ(on_kernels()->decode(ids), text) << entry["text"].dump();
  }
}

TEST_F(SmolLM2, LogProbabilitiesOfText) {
  for (const BackEnd back_end : {BackEnd::kernels, BackEnd::ggml}) {
    const Difference to_llama = difference(load(back_end), record()["log_probabilities"]);
    EXPECT_LT(to_llama.mean_absolute, rounding) << name(back_end);
    EXPECT_LT(to_llama.of_means, mean_rounding) << name(back_end);
  }
}

TEST_F(SmolLM2, DialoguesAreWrittenAsJinjaWritesThem) {
  for (const json& dialogue : record()["dialogues"])
    EXPECT_EQ(on_kernels()->apply_template(messages_of(dialogue)), dialogue["prompt"].get<std::string>());
}

// The same tokens until llama.cpp's own choice was a close one.
TEST_F(SmolLM2, GreedyAnswers) {
  Engine engine(on_kernels(), {.kv_cells = 512});
  size_t compared = 0;
  for (const json& dialogue : record()["dialogues"]) {
    const std::vector<TokenId> theirs = dialogue["tokens"];
    const std::vector<double> margins = dialogue["margins"];
    const std::vector<TokenId> ours =
        support::run_group(engine, request_of(dialogue, 1, CouplingKind::independent)).tokens(0);
    for (size_t i = 0; i < theirs.size(); ++i) {
      ASSERT_LT(i, ours.size());
      if (ours[i] != theirs[i]) {
        EXPECT_LT(margins[i], clear_margin) << "token " << i << " of " << dialogue["prompt"];
        break;
      }
      ++compared;
    }
  }
  EXPECT_GE(compared, 24U);
}

TEST_F(SmolLM2, IndependentLanesWriteWhatOneLaneWrites) {
  Engine engine(on_kernels(), {.kv_cells = 1024});
  const json& dialogue = record()["dialogues"][2];
  const GroupRun one = support::run_group(engine, request_of(dialogue, 1, CouplingKind::lanerope));
  const GroupRun four = support::run_group(engine, request_of(dialogue, 4, CouplingKind::independent));
  for (const LaneResult& lane : four.result.lanes) EXPECT_EQ(lane.text, one.result.lanes[0].text);
  EXPECT_FALSE(one.result.lanes[0].text.empty());
}

// This model never learned to read other lanes; what is tested is that they change what a lane writes, that
// each lane is another, and that a seed brings all of it back.
TEST_F(SmolLM2, CoupledLanesReadOneAnotherAndComeBackWithTheirSeed) {
  Engine engine(on_kernels(), {.kv_cells = 1024});
  Request request = request_of(record()["dialogues"][0], 4, CouplingKind::lanerope);
  request.coupling.init = OmegaInit::ntk_by_parts;
  request.sampling.temperature = 0.8F;
  request.sampling.seed = 5;
  const auto texts = [&] {
    std::vector<std::string> all;
    for (const LaneResult& lane : support::run_group(engine, request).result.lanes) all.push_back(lane.text);
    return all;
  };
  const std::vector<std::string> coupled = texts();
  EXPECT_EQ(texts(), coupled);
  EXPECT_EQ(std::set<std::string>(coupled.begin(), coupled.end()).size(), 4U);
  request.coupling.kind = CouplingKind::independent;
  request.coupling.init.reset();
  EXPECT_NE(texts(), coupled);
}

TEST_F(SmolLM2, AnAdapterChangesItAsItDoesInLlamaCpp) {
  const std::string adapter =
      support::write_adapter({.rank = 8, .strength = 0.05F, .seed = 7}, LANEROPE_SMOLLM2);
  for (const BackEnd back_end : {BackEnd::kernels, BackEnd::ggml}) {
    const Difference to_llama = difference(load(back_end, {{.file = adapter}}), record()["with_adapter"]);
    EXPECT_LT(to_llama.mean_absolute, rounding) << name(back_end);
  }
  EXPECT_GT(difference(on_kernels(), record()["with_adapter"]).mean_absolute, 1.3 * rounding)
      << "it does too little";
  const std::vector<TokenId> tokens = record()["with_adapter"][0]["tokens"];
  const auto switched_off = load(BackEnd::kernels, {{.file = adapter, .scale = 0}});
  EXPECT_EQ(log_probabilities(switched_off, tokens), log_probabilities(on_kernels(), tokens));
}

}  // namespace
}  // namespace lanerope
