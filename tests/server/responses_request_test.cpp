// SPDX-License-Identifier: Apache-2.0
// What OpenAI's Responses clients send becomes a conversation; what needs a memory is refused by name.
#include "server/responses_request.h"

#include <gtest/gtest.h>

namespace lanerope::server {
namespace {

Json chat(const char* body) {
  return chat_body_of(Json::parse(body));
}

TEST(ResponsesRequest, IsAConversation) {
  const Json body = chat(R"({"model": "m", "instructions": "Be short.", "input": "hi", "max_output_tokens": 9,
      "temperature": 0, "top_k": 3, "stream": true, "store": true, "include": ["reasoning.encrypted_content"], "reasoning": {"effort": "low"},
      "lanes": {"count": 2}})");
  EXPECT_EQ(
      body["messages"],
      Json::parse(R"([{"role": "system", "content": "Be short."}, {"role": "user", "content": "hi"}])"));
  EXPECT_EQ(body["max_tokens"], 9);
  EXPECT_EQ(body["reasoning_effort"], "low");
  EXPECT_EQ(body["top_k"], 3) << "what both have, and what only this server has, goes over";
  EXPECT_EQ(body["lanes"]["count"], 2);
  EXPECT_FALSE(body.contains("input") || body.contains("instructions") || body.contains("include"));
}

TEST(ResponsesRequest, TakesItems) {
  const Json body = chat(R"({"input": [
      {"role": "user", "content": [{"type": "input_text", "text": "a"}, {"type": "input_text", "text": "b"}]},
      {"type": "reasoning", "id": "rs_1", "summary": []},
      {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
      {"type": "function_call", "call_id": "c2", "name": "g", "arguments": "{}"},
      {"type": "function_call_output", "call_id": "c1", "output": "42"},
      {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "done", "annotations": []}]}]})");
  const Json& messages = body["messages"];
  ASSERT_EQ(messages.size(), 4U);
  EXPECT_EQ(messages[0]["content"], "ab");
  EXPECT_EQ(messages[1]["tool_calls"].size(), 2U) << "calls of one turn are one message";
  EXPECT_EQ(messages[1]["tool_calls"][0]["function"]["name"], "f");
  EXPECT_EQ(messages[2], Json::parse(R"({"role": "tool", "tool_call_id": "c1", "content": "42"})"));
  EXPECT_EQ(messages[3]["content"], "done");
}

TEST(ResponsesRequest, NestsToolsAndFormats) {
  const Json body =
      chat(R"({"input": "x", "tools": [{"type": "function", "name": "f", "parameters": {}, "strict": true}],
      "tool_choice": {"type": "function", "name": "f"},
      "text": {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}}}})");
  EXPECT_EQ(body["tools"][0]["function"]["name"], "f");
  EXPECT_EQ(body["tool_choice"]["function"]["name"], "f");
  EXPECT_EQ(body["response_format"]["json_schema"]["schema"]["type"], "object");
}

// What clients send in every request, whatever they are about.
TEST(ResponsesRequest, LeavesAsideWhatAsksForNothing) {
  const Json body = chat(R"({"input": "x", "include": ["reasoning.encrypted_content"], "logprobs": false,
      "top_logprobs": 0, "max_tool_calls": null, "truncation": "disabled", "background": false, "n": 1})");
  EXPECT_EQ(body.size(), 1U) << "messages alone: " << body;
}

struct Row {
  const char* fields;
  const char* param;
};
class RefusedResponse : public testing::TestWithParam<Row> {};
TEST_P(RefusedResponse, NamesTheField) {
  try {
    chat((std::string("{\"input\": \"x\", ") + GetParam().fields + "}").c_str());
    FAIL() << GetParam().fields;
  } catch (const ApiError& error) {
    EXPECT_EQ(error.status, 400);
    EXPECT_EQ(error.param, GetParam().param);
  }
}
INSTANTIATE_TEST_SUITE_P(
    All, RefusedResponse,
    testing::Values(Row{R"("previous_response_id": "resp_1")", "previous_response_id"},
                    Row{R"("conversation": "c")", "conversation"}, Row{R"("background": true)", "background"},
                    Row{R"("prompt": {"id": "p"})", "prompt"},
                    Row{R"("context_management": {})", "context_management"},
                    Row{R"("truncation": "auto")", "truncation"}, Row{R"("n": 2)", "n"},
                    Row{R"("tools": [{"type": "web_search"}])", "tools.type"},
                    Row{R"("input": [{"role": "user", "content": [{"type": "input_image"}]}])",
                        "input[0].content"},
                    Row{R"("input": [{"type": "item_reference", "id": "x"}])", "input[0].type"},
                    Row{R"("input": [])", "input"}, Row{R"("top_logprobs": 2)", "top_logprobs"},
                    Row{R"("logprobs": true)", "logprobs"},
                    Row{R"("include": ["message.output_text.logprobs"])", "include"},
                    Row{R"("max_tool_calls": 3)", "max_tool_calls"}));

}  // namespace
}  // namespace lanerope::server
