// SPDX-License-Identifier: Apache-2.0
// OpenAI's Responses as they come back: one object, or its typed events. What clients' tools make of them is
// in client_tools_test.cpp.
#include <gmock/gmock.h>

#include <utility>

#include "tests/server/model_with_calls.h"

namespace lanerope::server {
namespace {

TEST(Responses, AreOneObjectOrItsEventsInOrder) {
  const Running running;
  const std::string request =
      R"("input": "Count.", "instructions": "Be short.", "max_output_tokens": 8, "temperature": 0, "ignore_eos": true)";
  const Json whole = post(running, "/v1/responses", "{" + request + "}").json;
  EXPECT_EQ(whole["object"], "response");
  EXPECT_EQ(whole["status"], "incomplete");
  EXPECT_EQ(whole["incomplete_details"]["reason"], "max_output_tokens");
  ASSERT_EQ(whole["output"].size(), 1U);
  EXPECT_EQ(whole["output"][0]["type"], "message");
  EXPECT_EQ(whole["usage"]["output_tokens"], 8);
  EXPECT_EQ(whole["instructions"], "Be short.");

  const Reply streamed = post(running, "/v1/responses", "{" + request + R"(, "stream": true})");
  const std::vector<Json> events = events_of(streamed.body);
  std::vector<std::string> order;
  std::string text;
  for (size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(events[i]["sequence_number"], i);
    const std::string type = events[i]["type"];
    EXPECT_NE(streamed.body.find("event: " + type + "\n"), std::string::npos);
    if (type == "response.output_text.delta") text += events[i]["delta"].get<std::string>();
    if (order.empty() || order.back() != type) order.push_back(type);
  }
  EXPECT_THAT(order,
              testing::ElementsAre("response.created", "response.in_progress", "response.output_item.added",
                                   "response.content_part.added", "response.output_text.delta",
                                   "response.output_text.done", "response.content_part.done",
                                   "response.output_item.done", "response.incomplete"));
  EXPECT_EQ(Json(text), whole["output"][0]["content"][0]["text"]);
  EXPECT_EQ(events.back()["response"]["output"][0]["content"][0]["text"], text);
  EXPECT_EQ(streamed.body.find("[DONE]"), std::string::npos);

  const Json lanes =
      post(running, "/v1/responses", "{" + request + R"(, "lanes": {"count": 3, "select": "logprob"}})").json;
  EXPECT_EQ(lanes["output"].size(), 1U);
  EXPECT_EQ(lanes["lanes"]["lanes"].size(), 3U);
  EXPECT_EQ(lanes["usage"]["output_tokens"], 24);
  EXPECT_EQ(running.client().Get("/v1/responses/resp_1")->status, 404);
}

// One lane whose text is read by a second stage, which alone is the answer.
TEST(Responses, OfASecondStageAreWhatThatSays) {
  const Running running;
  const std::string rest =
      R"("temperature": 0, "ignore_eos": true, "lanes": {"then": "So?", "then_budget": 4})";
  const Json chat =
      post(running, "/v1/chat/completions",
           R"({"messages": [{"role": "user", "content": "Count."}], "max_tokens": 8, )" + rest + "}")
          .json;
  ASSERT_EQ(chat["lanes"]["then_lane"], 1) << chat;
  const Json said = chat["choices"][0]["message"]["content"];
  const std::string request = R"({"input": "Count.", "max_output_tokens": 8, )" + rest;
  const Json whole = post(running, "/v1/responses", request + "}").json;
  ASSERT_EQ(whole["output"].size(), 1U) << whole;
  EXPECT_EQ(whole["output"][0]["content"][0]["text"], said);
  std::string text;
  for (const Json& event : events_of(post(running, "/v1/responses", request + R"(, "stream": true})").body)) {
    if (event["type"] == "response.output_text.delta") text += event["delta"].get<std::string>();
  }
  EXPECT_EQ(Json(text), said);
}

// A model whose prompt begins the thinking, which no lane ends.
TEST(Responses, CountWhatAllLanesThoughtAsChatsDo) {
  const Running running({}, true,
                        model_with_template(std::string(support::hermes_template) +
                                            "{% if add_generation_prompt %}<think>\n{% endif %}"));
  const std::string rest = R"("max_tokens": 6, "seed": 1, "ignore_eos": true)";
  for (const auto& [lanes, thought] : {std::pair(R"({"count": 1, "select": "logprob"})", 6),
                                       std::pair(R"({"count": 3, "select": "logprob"})", 18)}) {
    const std::string more = rest + R"(, "lanes": )" + lanes + "}";
    const Json chat = post(running, "/v1/chat/completions",
                           R"({"messages": [{"role": "user", "content": "Count."}], )" + more)
                          .json;
    EXPECT_EQ(chat["usage"]["completion_tokens_details"]["reasoning_tokens"], thought) << chat;
    const Json response = post(running, "/v1/responses", R"({"input": "Count.", )" + more).json;
    EXPECT_EQ(response["usage"]["output_tokens_details"]["reasoning_tokens"], thought) << response;
    EXPECT_EQ(response["output"][0]["type"], "reasoning");
    EXPECT_EQ(response["output"][0]["content"][0]["text"],
              chat["choices"][0]["message"]["reasoning_content"]);
  }
}

}  // namespace
}  // namespace lanerope::server
