// SPDX-License-Identifier: Apache-2.0
// Tools that clients bring and run themselves: what a lane says around a call, and how such an answer ends.
#include <gmock/gmock.h>

#include <map>

#include "tests/server/model_with_calls.h"

namespace lanerope::server {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// A lane is forced to say "Before", a call and " After", and writes "!!" by itself.
class ToolsOfAClient : public testing::Test {
 protected:
  Reply ask(const std::string& path, Json body, const std::string& said) {
    body["logit_bias"] = nothing_but("!");
    body["lanes"] = {{"text", {said}}};
    return post(running, path, body.dump());
  }
  Reply chat(const std::string& said) {
    return ask("/v1/chat/completions",
               {{"messages", question},
                {"max_tokens", 2},
                {"tools", {{{"type", "function"}, {"function", calculator}}}}},
               said);
  }
  Reply respond(bool stream) {
    Json tool = calculator;
    tool["type"] = "function";
    return ask(
        "/v1/responses",
        {{"input", question}, {"max_output_tokens", 2}, {"stream", stream}, {"tools", Json::array({tool})}},
        "Before" + call + " After");
  }

  const Json question = Json::array({{{"role", "user"}, {"content", "How many?"}}});
  const Json calculator = {{"name", "calculator"}, {"parameters", {{"type", "object"}}}};
  const std::string call =
      "<tool_call>\n{\"name\": \"calculator\", \"arguments\": {\"expression\": \"6*7\"}}\n</tool_call>";
  Running running{{}, true, model_with_calls()};
};

TEST_F(ToolsOfAClient, AreCalledAlsoWhereTheBudgetCutOffWhatFollows) {
  const Reply reply = chat(call + " After");
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(reply.json.at("lanes").at("lanes").at(0).at("finish"), "length");
  const Json& choice = reply.json.at("choices").at(0);
  EXPECT_EQ(choice.at("message").at("tool_calls").size(), 1U);
  EXPECT_EQ(choice.at("finish_reason"), "tool_calls");
}

TEST_F(ToolsOfAClient, AreNotCalledByHalfACall) {
  const Reply reply = chat(call.substr(0, call.size() / 2));
  ASSERT_EQ(reply.status, 200) << reply.body;
  const Json& choice = reply.json.at("choices").at(0);
  EXPECT_FALSE(choice.at("message").contains("tool_calls"));
  EXPECT_THAT(choice.at("message").at("content").get<std::string>(), StartsWith("<tool_call>"));
  EXPECT_EQ(choice.at("finish_reason"), "length");
}

// Deep enough that one copy of them would be more than a stack holds.
TEST_F(ToolsOfAClient, AreRefusedWhereTheirArgumentsAreNestedWithoutEnd) {
  const std::string deep = R"({"a":)" + std::string(300'000, '[') + std::string(300'000, ']') + "}";
  Json messages = question;
  messages.push_back(
      {{"role", "assistant"},
       {"tool_calls", {{{"id", "c1"}, {"function", {{"name", "calculator"}, {"arguments", deep}}}}}}});
  messages.push_back({{"role", "tool"}, {"tool_call_id", "c1"}, {"content", "42"}});
  const Reply reply =
      post(running, "/v1/chat/completions", Json{{"messages", messages}, {"max_tokens", 2}}.dump());
  EXPECT_EQ(reply.status, 400) << reply.body;
  EXPECT_THAT(reply.body, HasSubstr("nested at most 64 deep"));
  EXPECT_EQ(running.client().Get("/health")->status, 200) << "the server goes on";
}

TEST_F(ToolsOfAClient, StandInAResponseBetweenWhatWasSaidBeforeAndAfter) {
  const Reply reply = respond(/*stream=*/false);
  ASSERT_EQ(reply.status, 200) << reply.body;
  const Json& output = reply.json.at("output");
  ASSERT_EQ(output.size(), 3U) << output;
  EXPECT_EQ(output[0].at("content").at(0).at("text"), "Before");
  EXPECT_EQ(output[1].at("type"), "function_call");
  EXPECT_EQ(output[1].at("name"), "calculator");
  EXPECT_EQ(output[2].at("content").at(0).at("text"), " After!!");
  EXPECT_NE(output[0].at("id"), output[2].at("id"));
}

TEST_F(ToolsOfAClient, LeaveEachItemOfAStreamItsOwnText) {
  const Reply reply = respond(/*stream=*/true);
  std::map<std::string, std::string> told;  // by item, piece by piece
  size_t done = 0;
  for (const Json& event : events_of(reply.body)) {
    const std::string item = event.value("item_id", "");
    if (event.at("type") == "response.output_text.delta") told[item] += event.at("delta").get<std::string>();
    if (event.at("type") != "response.output_text.done") continue;
    ++done;
    EXPECT_EQ(event.at("text"), told[item]);
  }
  EXPECT_EQ(done, 2U);
  EXPECT_EQ(told.size(), 2U) << "an item has an id of its own";
}

// A model whose prompts say in which mood it is to answer.
class TemplateOfAChat : public testing::Test {
 protected:
  Reply apply(const Json& more) {
    Json body = {{"messages", Json::array({{{"role", "user"}, {"content", "Hi."}}})}};
    body.update(more);
    return post(running, "/apply-template", body.dump());
  }
  std::string prompt(const Json& more) {
    const Reply reply = apply(more);
    EXPECT_EQ(reply.status, 200) << reply.body;
    return reply.json.value("prompt", "");
  }

  const std::string plain = "<|im_start|>user\nHi.<|im_end|>\n<|im_start|>assistant\n";
  Running running{
      {},
      true,
      model_with_template(std::string(support::hermes_template) + "{% if mood %}[{{ mood }}]{% endif %}")};
};

TEST_F(TemplateOfAChat, IsAppliedAsAChatWouldBe) {
  const Json tools = Json::array({{{"type", "function"}, {"function", {{"name", "calculator"}}}}});
  EXPECT_EQ(prompt(Json::object()), plain);
  EXPECT_EQ(prompt({{"chat_template_kwargs", {{"mood", "calm"}}}}), plain + "[calm]");
  EXPECT_THAT(prompt({{"tools", tools}}), StartsWith("<|im_start|>system\nTools: [{"));
  EXPECT_EQ(prompt({{"tools", tools}, {"tool_choice", "none"}}), plain) << "it is told of no tools";
  const Json begun =
      Json::array({{{"role", "user"}, {"content", "Hi."}}, {{"role", "assistant"}, {"content", "Good day"}}});
  EXPECT_EQ(prompt({{"messages", begun}, {"continue_final_message", true}, {"add_generation_prompt", false}}),
            plain + "Good day");
}

TEST_F(TemplateOfAChat, RefusesWhatAChatRefuses) {
  const Reply unread = apply({{"chat_template_kwargs", {{"weather", "fine"}}}});
  EXPECT_EQ(unread.status, 400);
  EXPECT_THAT(unread.body, HasSubstr("does not read"));
  const Reply open = apply({{"add_generation_prompt", false}});
  EXPECT_EQ(open.status, 400);
  EXPECT_EQ(open.json["error"]["param"], "add_generation_prompt");
}

}  // namespace
}  // namespace lanerope::server
