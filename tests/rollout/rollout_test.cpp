// SPDX-License-Identifier: Apache-2.0
#include "rollout/rollout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "lanerope/errors.h"
#include "tests/rollout/biased_model.h"

namespace lanerope::rollout {
namespace {

// Lanes that say some 7s and then, each time as likely as another 7, end.
RolloutOptions sevens() {
  const Model& model = *speaking_model();
  RolloutOptions options = {.groups = 3, .parallel = 4, .seed = 9};
  options.request.lanes = 4;
  options.request.budget = 12;
  options.request.tag = "";
  options.request.sampling = {.temperature = 1, .top_k = 0, .top_p = 1, .min_p = 0};
  options.request.sampling.logit_bias = {{token_of(model, "7"), 1000}, {end_token(model), 1000}};
  return options;
}

std::vector<RolloutQuestion> questions() {
  return {question("What is six plus one?", "7"), question("And seventy plus seven?", "so #### 77"),
          question("Well?", "7")};
}

std::vector<std::string> texts_of(const std::vector<data::Trace>& traces) {
  std::vector<std::string> texts;
  for (const data::Trace& trace : traces) {
    for (const std::string& lane : trace.lanes) texts.push_back(trace.question + lane);
  }
  return texts;
}

TEST(Rollout, WritesTheGroupsOfEachQuestionInOrder) {
  const std::vector<data::Trace> traces = sampled(speaking_model(), questions(), sevens());
  ASSERT_EQ(traces.size(), 9U);
  for (size_t i = 0; i < traces.size(); ++i) {
    EXPECT_EQ(traces[i].question, questions()[i / 3].problem.question);
    EXPECT_EQ(traces[i].answer, questions()[i / 3].problem.answer);
    EXPECT_EQ(traces[i].other, (std::vector<data::OtherKey>{{.key = "parts", .json = "3"}}));
    EXPECT_EQ(traces[i].lanes.size(), 4U);
  }
}

TEST(Rollout, LabelsTheLanesThatSayTheTruth) {
  std::set<bool> labels;
  for (const data::Trace& trace : sampled(speaking_model(), questions(), sevens())) {
    ASSERT_EQ(trace.labels.size(), trace.lanes.size());
    for (size_t m = 0; m < trace.lanes.size(); ++m) {
      const std::string truth = trace.answer == "7" ? "7" : "77";
      const bool likely = trace.lanes[m].find_first_not_of('7') == std::string::npos;
      EXPECT_TRUE(likely) << trace.lanes[m];
      EXPECT_EQ(trace.labels[m], trace.ended[m] && trace.lanes[m] == truth) << trace.lanes[m];
      EXPECT_EQ(trace.ended[m], trace.lanes[m].size() < 12);
      labels.insert(trace.labels[m]);
    }
  }
  EXPECT_EQ(labels.size(), 2U) << "some lanes must be right and some wrong";
}

TEST(Rollout, ALaneThatWasCutOffIsNotRightByAccident) {
  RolloutOptions options = sevens();
  options.request.sampling.logit_bias.pop_back();
  options.request.budget = 2;
  for (const data::Trace& trace : sampled(speaking_model(), {question("How many?", "77")}, options)) {
    EXPECT_THAT(trace.lanes, testing::Each("77"));
    EXPECT_THAT(trace.labels, testing::Each(false));
    EXPECT_THAT(trace.ended, testing::Each(false));
  }
}

TEST(Rollout, GroupsDifferAndTheSeedDecidesThem) {
  RolloutOptions options = sevens();
  options.request.sampling.logit_bias.clear();
  const std::vector<std::string> texts = texts_of(sampled(speaking_model(), questions(), options));
  EXPECT_EQ(std::set<std::string>(texts.begin(), texts.end()).size(), texts.size());
  EXPECT_EQ(texts_of(sampled(speaking_model(), questions(), options)), texts);
  options.seed = 10;
  EXPECT_NE(texts_of(sampled(speaking_model(), questions(), options)), texts);
}

TEST(Rollout, WhatRunsBesideAGroupDoesNotMatter) {
  RolloutOptions options = sevens();
  options.request.sampling.logit_bias.clear();
  options.parallel = 9;
  const std::vector<std::string> together = texts_of(sampled(speaking_model(), questions(), options));
  options.parallel = 1;
  EXPECT_EQ(texts_of(sampled(speaking_model(), questions(), options)), together);
}

TEST(Rollout, GoesOnWhereItWasCutOff) {
  const std::vector<std::string> all = texts_of(sampled(speaking_model(), questions(), sevens()));
  std::vector<RolloutQuestion> rest = questions();
  rest[0].done = 3;
  rest[1].done = 1;
  const std::vector<std::string> resumed = texts_of(sampled(speaking_model(), rest, sevens()));
  EXPECT_EQ(resumed, std::vector<std::string>(all.begin() + 16, all.end()));
}

TEST(Rollout, StopsWhenAsked) {
  const std::shared_ptr<const Model> model = speaking_model();
  RolloutOptions options = sevens();
  int handed_over = 0;
  options.parallel = 2;
  options.stopped = [&] { return handed_over >= 4; };
  Engine engine(model, {.kv_cells = rollout_cells(*model, questions(), options)});
  roll_out(engine, questions(), options, [&](const data::Trace&) { ++handed_over; });
  EXPECT_GE(handed_over, 4);
  EXPECT_LT(handed_over, 9);
  EXPECT_EQ(engine.state().groups + engine.state().queued_groups, 0);
}

TEST(Rollout, RefusesWhatTheEngineRefuses) {
  RolloutOptions options = sevens();
  options.request.lanes = 0;
  Engine engine(speaking_model(), {.kv_cells = 256});
  EXPECT_THROW(roll_out(engine, questions(), options, [](const data::Trace&) {}), InvalidRequest);
}

}  // namespace
}  // namespace lanerope::rollout
