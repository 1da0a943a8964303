// SPDX-License-Identifier: Apache-2.0
// Lanes that end with calls of the client's tools: when their calls are the same answer.
#include "engine/called_answer.h"

#include <gtest/gtest.h>

#include "engine/selection.h"

namespace lanerope::engine {
namespace {

const Prompt prompt{
    .messages = {{.role = "user", .content = "What is the weather?"}},
    .tools =
        R"([{"type":"function","function":{"name":"weather","parameters":{"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer"}}}}}])"};

std::string called(std::string_view text) {
  const auto answer = called_answer(prompt, ToolStyle::hermes, text);
  return answer ? answer->text : "none";
}

TEST(CalledAnswer, IsTheCallsInOneSpelling) {
  EXPECT_EQ(called("Let me see.\n<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"days\": 2, \"city\": "
                   "\"Rome\"}}\n</tool_call>"),
            R"(weather({"city":"Rome","days":2}))");
  EXPECT_EQ(
      called("<tool_call>{\"name\":\"weather\",\"arguments\":{\"city\":\"Rome\",\"days\":2}}</tool_call>\n"
             "<tool_call>{\"name\":\"weather\",\"arguments\":{\"city\":\"Oslo\"}}</tool_call>"),
      R"(weather({"city":"Rome","days":2}); weather({"city":"Oslo"}))");
}

TEST(CalledAnswer, IsNoneWithoutACallOrWithoutTools) {
  EXPECT_EQ(called("It is 21 degrees in Rome."), "none");
  EXPECT_EQ(called("<tool_call>{\"name\": \"weather\", \"argum"), "none");
  const std::string_view call = "<tool_call>{\"name\":\"weather\",\"arguments\":{}}</tool_call>";
  EXPECT_FALSE(called_answer({.text = "a"}, ToolStyle::hermes, call));
  EXPECT_FALSE(called_answer(prompt, ToolStyle::none, call));
}

TEST(CalledAnswer, EqualCallsAreEqualVotesAndNumbersInThemAreNotReadAsAnswers) {
  const auto lane = [](const std::string& answer) {
    return LaneResult{.finish = FinishReason::end, .answer = answer, .answer_from = AnswerFrom::call};
  };
  const std::vector<LaneResult> lanes = {lane(R"(weather({"city":"Rome","days":2}))"),
                                         lane(R"(weather({"city":"Oslo","days":2}))"),
                                         lane(R"(weather({"city":"Oslo","days":2}))")};
  const std::vector<Vote> votes = count_votes(lanes, VoteWeight::equal);
  ASSERT_EQ(votes.size(), 2U);
  EXPECT_EQ(votes[0].answer, R"(weather({"city":"Oslo","days":2}))");
  EXPECT_EQ(votes[0].count, 2);
}

}  // namespace
}  // namespace lanerope::engine
