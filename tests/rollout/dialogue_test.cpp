// SPDX-License-Identifier: Apache-2.0
#include "rollout/dialogue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/rollout/biased_model.h"
#include "tests/support/refusal.h"

namespace lanerope::rollout {
namespace {

using testing::Each;
using testing::ElementsAre;

DialogueOptions greedy(std::vector<LogitBias> bias) {
  DialogueOptions options = {.rollout = {.parallel = 3, .seed = 4}, .turn = 8};
  options.rollout.request = {.lanes = 3, .budget = 24};
  options.rollout.request.sampling = {.temperature = 0, .logit_bias = std::move(bias)};
  return options;
}

std::vector<data::Trace> held(const std::vector<RolloutQuestion>& questions, const DialogueOptions& options) {
  const std::shared_ptr<const Model> model = speaking_model();
  Engine engine(model, {.kv_cells = dialogue_cells(*model, questions, options)});
  std::vector<data::Trace> traces;
  collaborate(engine, questions, options, [&](const data::Trace& trace) { traces.push_back(trace); });
  EXPECT_EQ(engine.state().groups, 0);
  return traces;
}

TEST(Dialogue, EachAssistantIsALaneOfWholeTurns) {
  const Model& model = *speaking_model();
  const std::vector<data::Trace> traces =
      held({question("How many?", "3"), question("And now?", "4")}, greedy({{token_of(model, "7"), 1000}}));
  ASSERT_EQ(traces.size(), 2U);
  EXPECT_EQ(traces[0].question, "How many?");
  EXPECT_EQ(traces[1].question, "And now?");
  for (const data::Trace& trace : traces) {
    const std::string three_turns(24, '7');
    EXPECT_THAT(trace.lanes, ElementsAre(three_turns, three_turns, three_turns));
    EXPECT_THAT(trace.labels, Each(false));
    EXPECT_THAT(trace.ended, Each(false));
  }
}

TEST(Dialogue, TheLastTurnHasWhatIsLeftOfTheBudget) {
  const Model& model = *speaking_model();
  DialogueOptions options = greedy({{token_of(model, "7"), 1000}});
  options.rollout.request.budget = 21;
  EXPECT_THAT(held({question("How many?", "3")}, options).front().lanes, Each(std::string(8 + 8 + 5, '7')));
  options = greedy({{end_token(model), 1000}});
  options.rollout.request.budget = 21;
  options.fill = "ab";
  EXPECT_THAT(held({question("How many?", "3")}, options).front().lanes, Each("abababababababababab"))
      << "four, four and, as far as they fit, two";
}

TEST(Dialogue, IsRefusedWhereNobodyCouldWriteATurn) {
  const auto refusal = [](int32_t lanes, int32_t budget, int32_t turn) {
    return support::refusal(
        [&] { check_dialogue({.rollout = {.request = {.lanes = lanes, .budget = budget}}, .turn = turn}); });
  };
  EXPECT_EQ(refusal(1, 8, 8), "(not refused)");
  EXPECT_EQ(refusal(1024, 8, 1), "(not refused)");
  EXPECT_EQ(refusal(0, 8, 8), "a dialogue has 1 to 1024 lanes, and 0 are asked for");
  EXPECT_EQ(refusal(-1, 8, 8), "a dialogue has 1 to 1024 lanes, and -1 are asked for");
  EXPECT_EQ(refusal(1025, 8, 8), "a dialogue has 1 to 1024 lanes, and 1025 are asked for");
  EXPECT_EQ(refusal(2, 8, 16),
            "a turn of 16 tokens does not go into a budget of 8; give shorter turns, or a larger budget");
  EXPECT_EQ(refusal(2, -8, 0),
            "a turn of 0 tokens does not go into a budget of -8; give shorter turns, or a larger budget");
}

TEST(Dialogue, AnInstructionSaysEverywhereHowManyThereAre) {
  EXPECT_EQ(dialogue_instruction("{n} of you; {n}, no more.", 12), "12 of you; 12, no more.");
  EXPECT_EQ(dialogue_instruction("Work.", 12), "Work.");
}

TEST(Dialogue, ATurnThatEndsEarlyIsFilledWithWaits) {
  const Model& model = *speaking_model();
  DialogueOptions options = greedy({{end_token(model), 1000}});
  options.fill = "ab";
  ASSERT_EQ(model.encode("ab", {.add_special = false}).size(), 2U);
  const std::string twelve = "abababababababababababab";
  EXPECT_THAT(held({question("How many?", "3")}, options).front().lanes, ElementsAre(twelve, twelve, twelve));
  options.fill = "";
  EXPECT_THAT(held({question("How many?", "3")}, options).front().lanes, ElementsAre("", "", ""));
}

// The format has the model open the next assistant's turn itself.
TEST(Dialogue, WhatAModelSaysForTheOthersIsLeftOut) {
  DialogueOptions options = greedy({});
  options.turn = 32;
  options.rollout.request.budget = 64;
  options.rollout.request.format = {.kind = FormatKind::choice, .choices = {"7\nAssistant 2: 8"}};
  const data::Trace trace = held({question("How many?", "3")}, options).front();
  EXPECT_THAT(trace.lanes, Each("77")) << "two turns";
  EXPECT_THAT(trace.ended, Each(false));
}

// Greedy with a penalty for each time that a token occurred: four times #, then 7, then the end.
TEST(Dialogue, AnAssistantIsDoneOnceItHasMarkedItsAnswer) {
  const Model& model = *speaking_model();
  DialogueOptions options =
      greedy({{token_of(model, "#"), 1450}, {token_of(model, "7"), 1100}, {end_token(model), 1070}});
  options.rollout.request.sampling.frequency_penalty = 100;
  const std::vector<data::Trace> traces =
      held({question("How many?", "7"), question("How few?", "8")}, options);
  ASSERT_EQ(traces.size(), 2U);
  EXPECT_THAT(traces[0].lanes, Each("####7"));
  EXPECT_THAT(traces[0].labels, ElementsAre(true, true, true));
  EXPECT_THAT(traces[1].labels, ElementsAre(false, false, false));
  EXPECT_THAT(traces[1].ended, Each(true));
}

TEST(Dialogue, AssistantsSayDifferentThingsAndTheSameTwice) {
  DialogueOptions options = greedy({});
  options.rollout.request.sampling = {.temperature = 1};
  const std::vector<RolloutQuestion> asked = {question("How many?", "3")};
  const std::vector<data::Trace> once = held(asked, options);
  EXPECT_NE(once[0].lanes[0], once[0].lanes[1]);
  EXPECT_EQ(held(asked, options)[0].lanes, once[0].lanes);
}

TEST(Dialogue, LaterTurnsReadWhatTheOthersSaid) {
  DialogueOptions options = greedy({});
  options.rollout.request.budget = 16;
  const std::vector<RolloutQuestion> asked = {question("How many?", "3")};
  const std::string alone = [&] {
    DialogueOptions one = options;
    one.rollout.request.lanes = 1;
    return held(asked, one)[0].lanes[0];
  }();
  // Greedy, so the first turns are the same; the second turn has the second assistant's first above it.
  options.rollout.request.lanes = 2;
  const std::string together = held(asked, options)[0].lanes[0];
  const Model& model = *speaking_model();
  const std::vector<TokenId> a = model.encode(alone, {.add_special = false});
  const std::vector<TokenId> b = model.encode(together, {.add_special = false});
  EXPECT_EQ(std::vector(a.begin(), a.begin() + 6), std::vector(b.begin(), b.begin() + 6));
  EXPECT_NE(alone, together);
}

TEST(Dialogue, EndsWhereTheTrainedContextDoes) {
  const Model& model = *speaking_model();
  DialogueOptions options = greedy({{token_of(model, "7"), 1000}});
  options.rollout.request.budget = 100000;
  options.turn = 64;
  const data::Trace trace = held({question("How many?", "3")}, options).front();
  EXPECT_THAT(trace.ended, Each(false));
  EXPECT_LT(trace.lanes[0].size(), static_cast<size_t>(model.info().trained_context));
  EXPECT_GE(trace.lanes[0].size(), 64U);
}

}  // namespace
}  // namespace lanerope::rollout
