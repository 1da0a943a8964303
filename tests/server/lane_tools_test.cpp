// SPDX-License-Identifier: Apache-2.0
// Tools of the operator, which lanes call inside the server.
#include <gmock/gmock.h>

#include "tests/server/model_with_calls.h"

namespace lanerope::server {
namespace {

using testing::HasSubstr;
using testing::Not;

ServerOptions with_tools() {
  ServerOptions options;
  options.defaults.tools = {.tools = {builtin_tool("calculator")}, .notes = true};
  return options;
}

class LaneToolsOfAServer : public testing::Test {
 protected:
  // A chat of one lane that begins with the text and then writes `next` again and again.
  Reply chat(const std::string& text, const std::string& next, const Json& more = Json::object()) {
    Json body = {{"messages", {{{"role", "user"}, {"content", "How many?"}}}},
                 {"max_tokens", 12},
                 {"logit_bias", nothing_but(next)},
                 {"lanes", {{"text", {text}}}}};
    body["lanes"].update(more.value("lanes", Json::object()));
    if (more.contains("tools")) body["tools"] = more["tools"];
    return post(running, "/v1/chat/completions", body.dump());
  }
  Running running{with_tools(), true, model_with_calls()};
  const std::string call =
      "<tool_call>\n{\"name\": \"calculator\", \"arguments\": {\"expression\": \"6*7\"}}\n</tool_call";
};

TEST_F(LaneToolsOfAServer, RunInsideAndAreNoPartOfTheContent) {
  const Reply reply = chat(call, ">");
  ASSERT_EQ(reply.status, 200) << reply.body;
  const Json& run = reply.json.at("lanes").at("tool_runs").at(0);
  EXPECT_EQ(run.at("name"), "calculator");
  EXPECT_EQ(run.at("result"), "42");
  EXPECT_FALSE(run.at("failed").get<bool>());
  const Json& message = reply.json.at("choices").at(0).at("message");
  EXPECT_THAT(message.at("content").get<std::string>(), Not(HasSubstr("tool_call")));
  EXPECT_FALSE(message.contains("tool_calls"));
  EXPECT_NE(reply.json.at("choices").at(0).at("finish_reason"), "tool_calls");
}

TEST_F(LaneToolsOfAServer, AreListedInTheProperties) {
  const auto reply = running.client().Get("/props");
  ASSERT_TRUE(reply && reply->status == 200);
  const Json tools = Json::parse(reply->body).at("lane_tools");
  ASSERT_EQ(tools.size(), 2U);
  EXPECT_EQ(tools[0].at("name"), "calculator");
  EXPECT_EQ(tools[1].at("name"), "notes");
}

TEST_F(LaneToolsOfAServer, AnswerNotes) {
  const Reply reply = chat("<<48/2", "=");
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_THAT(reply.json.at("choices").at(0).at("message").at("content").get<std::string>(),
              HasSubstr("<<48/2=24>>"));
}

TEST_F(LaneToolsOfAServer, AreChosenByTheRequest) {
  EXPECT_FALSE(
      chat("<<48/2", "=", {{"lanes", {{"tools", Json::array()}}}}).json.at("lanes").contains("tool_runs"));
  EXPECT_FALSE(
      chat("<<48/2", "=", {{"lanes", {{"tools", {"calculator"}}}}}).json.at("lanes").contains("tool_runs"));
  EXPECT_TRUE(
      chat("<<48/2", "=", {{"lanes", {{"tools", {"notes"}}}}}).json.at("lanes").contains("tool_runs"));
  const Reply unknown = chat("", "=", {{"lanes", {{"tools", {"abacus"}}}}});
  EXPECT_EQ(unknown.status, 400);
  EXPECT_THAT(unknown.body, HasSubstr("no tool \\\"abacus\\\" for lanes; it has notes, calculator"));
}

TEST_F(LaneToolsOfAServer, StandBackWhereTheClientBringsItsOwn) {
  const Json tools = {
      {{"type", "function"}, {"function", {{"name", "calculator"}, {"parameters", {{"type", "object"}}}}}}};
  const Reply reply = chat(call, ">", {{"tools", tools}});
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_FALSE(reply.json.at("lanes").contains("tool_runs"));
  EXPECT_EQ(reply.json.at("choices").at(0).at("message").at("tool_calls").at(0).at("function").at("name"),
            "calculator");
  EXPECT_EQ(chat(call, ">", {{"tools", tools}, {"lanes", {{"tools", {"calculator"}}}}}).status, 400)
      << "both are asked for";
}

TEST_F(LaneToolsOfAServer, TellOfCallsInTheStreamOfAGroup) {
  const Json body = {{"prompt", "x"},
                     {"max_tokens", 8},
                     {"logit_bias", nothing_but("=")},
                     {"lanes", {{"text", {"<<48/2"}}}}};
  const Reply reply = post(running, "/v1/groups", body.dump());
  EXPECT_THAT(reply.body, HasSubstr(R"("kind":"tool_called","step":)"));
  EXPECT_THAT(
      reply.body,
      HasSubstr(
          R"("name":"calculator","arguments":"{\"expression\":\"48/2\"}","note":true,"result":"24","failed":false,"milliseconds":)"));
}

}  // namespace
}  // namespace lanerope::server
