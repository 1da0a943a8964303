// SPDX-License-Identifier: Apache-2.0
// What a model is made to write where it must call a tool is what the reader of its style takes for that
// call; and what a client may say of tools.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lanerope/tool_calls.h"
#include "server/tools/tool_request.h"
#include "tests/grammar/toy_formats.h"

namespace lanerope::server {
namespace {

using testing::HasSubstr;

ToolRequest request(const std::string& json) {
  static std::vector<Json> kept;
  kept.push_back(Json::parse(json));
  return parse_tools(JsonFields(kept.back()));
}

std::string refusal(const std::string& json) {
  try {
    request(json);
  } catch (const ApiError& error) {
    return error.what();
  }
  return "";
}

const std::string two_tools =
    R"("tools":[{"type":"function","function":{"name":"weather","parameters":{"type":"object",
       "properties":{"city":{"type":"string"}},"required":["city"]}}},{"type":"function","function":{"name":"now"}}])";

bool keeps(const AnswerFormat& format) {
  try {
    grammar::toy_compiler().compile(format);
    return true;
  } catch (const Error&) {
    return false;
  }
}

AnswerFormat format(const std::string& json, ToolStyle style) {
  return call_format(request(json), style, keeps);
}

// How each style writes a call of weather, and one of now behind it.
struct Written {
  ToolStyle style;
  std::string one;
  std::string two;
};
const std::vector<Written> all = {
    {ToolStyle::hermes,
     "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Rome\"}}\n</tool_call>",
     "\n<tool_call>\n{\"name\": \"now\", \"arguments\": {}}\n</tool_call>"},
    {ToolStyle::qwen_xml,
     "<tool_call>\n<function=weather>\n<parameter=city>Rome</parameter>\n</function>\n</tool_call>",
     "\n<tool_call>\n<function=now>\n\n</function>\n</tool_call>"},
    {ToolStyle::llama, "{\"name\": \"weather\", \"parameters\": {\"city\": \"Rome\"}}", ""},
    {ToolStyle::mistral_list, "[TOOL_CALLS][{\"name\": \"weather\", \"arguments\": {\"city\": \"Rome\"}}]",
     ""},
    {ToolStyle::mistral, "[TOOL_CALLS]weather[ARGS]{\"city\": \"Rome\"}", ""},
    {ToolStyle::deepseek,
     "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>weather\n```json\n{\"city\": "
     "\"Rome\"}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
     ""},
    {ToolStyle::deepseek_v31,
     "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>weather<｜tool▁sep｜>{\"city\": "
     "\"Rome\"}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
     ""},
    {ToolStyle::harmony,
     "<|channel|>commentary to=functions.weather <|constrain|>json<|message|>{\"city\": \"Rome\"}", ""},
};

TEST(CallFormat, IsWhatTheReaderTakes) {
  for (const Written& written : all) {
    const AnswerFormat required = format("{" + two_tools + R"(,"tool_choice":"required"})", written.style);
    EXPECT_TRUE(grammar::takes(required, written.one)) << written.one;
    if (!written.two.empty()) {
      EXPECT_TRUE(grammar::takes(required, written.one + written.two)) << written.two;
    }
    EXPECT_FALSE(grammar::takes(required, "no call"));
    ToolCallParser parser(written.style, request("{" + two_tools + "}").table());
    std::vector<ToolCall> calls = parser.push(written.one).calls;
    for (const ToolCall& call : parser.finish().calls) calls.push_back(call);
    ASSERT_EQ(calls.size(), 1U) << written.one;
    EXPECT_EQ(calls[0].name, "weather");
    EXPECT_EQ(Json::parse(calls[0].arguments), Json::parse(R"({"city":"Rome"})"));
  }
}

TEST(CallFormat, ANamedToolIsTheOnlyOne) {
  const AnswerFormat named =
      format("{" + two_tools + R"(,"tool_choice":{"type":"function","function":{"name":"now"}}})",
             ToolStyle::hermes);
  EXPECT_FALSE(grammar::takes(named, all[0].one));
  EXPECT_TRUE(grammar::takes(named, all[0].two.substr(1)));
}

TEST(CallFormat, OneCallIsAllWhereSeveralAreNotWanted) {
  const AnswerFormat one = format(
      "{" + two_tools + R"(,"tool_choice":"required","parallel_tool_calls":false})", ToolStyle::hermes);
  EXPECT_TRUE(grammar::takes(one, all[0].one));
  EXPECT_FALSE(grammar::takes(one, all[0].one + all[0].two));
}

TEST(CallFormat, AStrictToolKeepsItsSchemaWhereItIsCalled) {
  std::string strict = two_tools;
  strict.replace(strict.find("\"name\":\"weather\""), 16, "\"strict\":true,\"name\":\"weather\"");
  EXPECT_EQ(format("{" + two_tools + "}", ToolStyle::hermes).kind, FormatKind::any);
  const AnswerFormat automatic = format("{" + strict + "}", ToolStyle::hermes);
  EXPECT_TRUE(grammar::takes(automatic, "It rains."));
  EXPECT_TRUE(grammar::takes(automatic, "I look.\n" + all[0].one));
  EXPECT_FALSE(
      grammar::takes(automatic, "<tool_call>\n{\"name\": \"weather\", \"arguments\": {}}\n</tool_call>"));
}

TEST(CallFormat, ASchemaThatCannotBeKeptGivesWayUnlessItIsStrict) {
  const std::string odd =
      R"({"tool_choice":"required","tools":[{"type":"function","function":{"name":"f",STRICT
    "parameters":{"type":"object","properties":{"a":{"type":"string","format":"phone"}},"required":["a"]}}}]})";
  const auto with = [&odd](const std::string& word) {
    std::string json = odd;
    return json.replace(json.find("STRICT"), 6, word);
  };
  EXPECT_TRUE(grammar::takes(format(with(""), ToolStyle::hermes),
                             "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"b\": 1}}\n</tool_call>"));
  EXPECT_FALSE(keeps(format(with("\"strict\":true,"), ToolStyle::hermes)));
}

TEST(ToolRequest, WhatIsWrongIsSaid) {
  EXPECT_THAT(refusal(R"({"tools":{}})"), HasSubstr("tools must be an array"));
  EXPECT_THAT(refusal(R"({"tools":[{"type":"retrieval"}]})"), HasSubstr("tools[0].type"));
  EXPECT_THAT(refusal(R"({"tools":[{"type":"function","function":{"name":"a b"}}]})"),
              HasSubstr("name must be"));
  EXPECT_THAT(refusal(R"({"tool_choice":"required"})"), HasSubstr("tools is missing"));
  EXPECT_THAT(refusal("{" + two_tools + R"(,"tool_choice":"always"})"), HasSubstr("tool_choice must be"));
  EXPECT_THAT(refusal("{" + two_tools + R"(,"tool_choice":{"type":"function","function":{"name":"x"}}})"),
              HasSubstr("none of the tools"));
  EXPECT_FALSE(request(R"({"tools":[]})").offered());
  EXPECT_FALSE(request("{" + two_tools + R"(,"tool_choice":"none"})").offered());
}

}  // namespace
}  // namespace lanerope::server
