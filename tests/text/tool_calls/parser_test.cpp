// SPDX-License-Identifier: Apache-2.0
// Calls of tools as the families of models write them, in pieces of any length; and what is no call.
#include "lanerope/tool_calls.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace lanerope::text {
namespace {

using Json = nlohmann::ordered_json;

ToolTable tools() {
  return {
      {"weather", R"({"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer"}}})"},
      {"now", R"({"type":"object","properties":{}})"}};
}

struct Outcome {
  std::string content = {};
  std::vector<ToolCall> calls = {};
};

Outcome parsed(ToolStyle style, std::string_view text, size_t piece) {
  ToolCallParser parser(style, tools());
  Outcome outcome;
  const auto add = [&outcome](const ToolCallParser::Parts& parts) {
    outcome.content += parts.content;
    outcome.calls.insert(outcome.calls.end(), parts.calls.begin(), parts.calls.end());
  };
  for (size_t at = 0; at < text.size(); at += piece) add(parser.push(text.substr(at, piece)));
  add(parser.finish());
  return outcome;
}

// "NAME(ARGUMENTS) NAME(ARGUMENTS)|CONTENT", the same however the text is cut.
std::string read(ToolStyle style, std::string_view text) {
  std::string first;
  for (const size_t piece : {text.size(), size_t{1}, size_t{2}, size_t{3}, size_t{7}}) {
    const Outcome outcome = parsed(style, text, piece);
    std::string told;
    for (const ToolCall& call : outcome.calls)
      told += call.name + "(" + Json::parse(call.arguments).dump() + ") ";
    told += "|" + outcome.content;
    if (first.empty()) first = told;
    EXPECT_EQ(told, first) << "in pieces of " << piece;
  }
  return first;
}

constexpr auto paris = R"(weather({"city":"Paris","days":2}) )";

TEST(ToolCalls, OfHermes) {
  const std::string call =
      "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Paris\", \"days\": 2}}\n</tool_call>";
  EXPECT_EQ(read(ToolStyle::hermes, call), std::string(paris) + "|");
  EXPECT_EQ(read(ToolStyle::hermes, "I look.\n" + call + "\n" + call + "\n"),
            std::string(paris) + paris + "|I look.");
  EXPECT_EQ(read(ToolStyle::hermes, "<tool_call>\n{\"name\": \"now\", \"arguments\": {}}"), "now({}) |")
      << "the closing mark is missing";
}

TEST(ToolCalls, ArgumentsMayHoldTheMarksThemselves) {
  EXPECT_EQ(read(ToolStyle::hermes,
                 R"(<tool_call>{"name": "weather", "arguments": {"city": "</tool_call> \" }"}}</tool_call>)"),
            R"(weather({"city":"</tool_call> \" }"}) |)");
}

TEST(ToolCalls, OfQwenCoder) {
  EXPECT_EQ(
      read(ToolStyle::qwen_xml,
           "So.\n<tool_call>\n<function=weather>\n<parameter=city>\n12\n</parameter>\n<parameter=days>\n2\n"
           "</parameter>\n</function>\n</tool_call>"),
      R"(weather({"city":"12","days":2}) |So.)")
      << "the schema says which is a string";
  EXPECT_EQ(read(ToolStyle::qwen_xml, "<tool_call>\n<function=now>\n</function>\n</tool_call>"), "now({}) |");
}

TEST(ToolCalls, OfQwenCoderEndWhereTheySayWhateverFollows) {
  constexpr std::string_view unclosed =
      "<tool_call>\n<function=weather>\n<parameter=city>\nParis\n</tool_call> and </function> then";
  EXPECT_EQ(read(ToolStyle::qwen_xml, unclosed), R"(weather({"city":"Paris"}) | and </function> then)");
}

TEST(ToolCalls, OfLlama) {
  const std::string call = R"({"name": "weather", "parameters": {"city": "Paris", "days": 2}})";
  EXPECT_EQ(read(ToolStyle::llama, call), std::string(paris) + "|");
  EXPECT_EQ(read(ToolStyle::llama, "<|python_tag|>" + call + "; " + call), std::string(paris) + paris + "|");
  EXPECT_EQ(read(ToolStyle::llama, R"({"name": "Ada", "age": 36})"), R"(|{"name": "Ada", "age": 36})");
  EXPECT_EQ(read(ToolStyle::llama, "The answer: " + call), "|The answer: " + call)
      << "only the whole answer is a call";
}

TEST(ToolCalls, OfMistral) {
  EXPECT_EQ(
      read(
          ToolStyle::mistral_list,
          R"([TOOL_CALLS][{"name": "weather", "arguments": {"city": "Paris", "days": 2}, "id": "abcdefghi"},)"
          R"( {"name": "now", "arguments": {}}])"),
      std::string(paris) + "now({}) |");
  EXPECT_EQ(parsed(ToolStyle::mistral_list,
                   R"([TOOL_CALLS][{"name": "now", "arguments": {}, "id": "abcdefghi"}])", 1)
                .calls.at(0)
                .id,
            "abcdefghi");
  EXPECT_EQ(read(ToolStyle::mistral,
                 R"(Hm.[TOOL_CALLS]weather[CALL_ID]abcdefghi[ARGS]{"city": "Paris", "days": 2})"),
            std::string(paris) + "|Hm.");
  EXPECT_EQ(read(ToolStyle::mistral, R"([TOOL_CALLS]now[ARGS]{}[TOOL_CALLS]now[ARGS]{})"),
            "now({}) now({}) |");
}

TEST(ToolCalls, OfDeepSeek) {
  EXPECT_EQ(read(ToolStyle::deepseek,
                 "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>weather\n```json\n{"
                 "\"city\": \"Paris\", "
                 "\"days\": "
                 "2}\n```<｜tool▁call▁end｜>\n<｜tool▁call▁begin｜>function<｜tool▁sep｜>now\n```json\n{}\n"
                 "```<｜tool▁call▁end｜><｜tool▁calls▁end｜>"),
            std::string(paris) + "now({}) |");
  EXPECT_EQ(read(ToolStyle::deepseek_v31,
                 "Yes.<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>now<｜tool▁sep｜>{}<｜tool▁call▁end｜><"
                 "｜tool▁calls▁end｜>"),
            "now({}) |Yes.");
}

TEST(ToolCalls, OfHarmony) {
  EXPECT_EQ(read(ToolStyle::harmony,
                 "<|start|>assistant<|channel|>commentary to=functions.weather "
                 "<|constrain|>json<|message|>{\"city\": "
                 "\"Paris\", \"days\": 2}"),
            std::string(paris) + "|");
  EXPECT_EQ(
      read(ToolStyle::harmony, "<|start|>assistant to=functions.now<|channel|>commentary json<|message|>{}"),
      "now({}) |");
  EXPECT_EQ(read(ToolStyle::harmony, "<|channel|>final<|message|>It is two."), "|It is two.");
}

// As deep as it takes for a copy to be more than a stack holds.
TEST(ToolCalls, ThatAreNestedWithoutEndStayText) {
  const std::string deep = std::string(500'000, '[') + std::string(500'000, ']');
  for (const std::string& call :
       {R"(<tool_call>{"name": "now", "arguments": {"a": )" + deep + "}}</tool_call>",
        "<tool_call>" + std::string(R"({"function": )") + deep + "}</tool_call>"}) {
    const Outcome outcome = parsed(ToolStyle::hermes, call, call.size());
    EXPECT_TRUE(outcome.calls.empty());
    EXPECT_EQ(outcome.content, call);
  }
  const std::string value = "<tool_call>\n<function=weather>\n<parameter=days>\n" + deep +
                            "\n</parameter>\n</function>\n</tool_call>";
  const Outcome outcome = parsed(ToolStyle::qwen_xml, value, value.size());
  ASSERT_EQ(outcome.calls.size(), 1U);
  EXPECT_EQ(outcome.calls[0].arguments, R"({"days":")" + deep + "\"}") << "a text like any other";
}

TEST(ToolCalls, WhatIsBrokenStaysText) {
  for (const std::string text :
       {"<tool_call>", "<tool_call>\n{\"name\": ", "<tool_call> no </tool_call> more",
        "<tool_call>{\"nome\": 1}</tool_call>", "a < b and <tool is not", " x "}) {
    EXPECT_EQ(read(ToolStyle::hermes, text), "|" + text);
  }
  EXPECT_EQ(read(ToolStyle::mistral_list, "[TOOL_CALLS] none"), "|[TOOL_CALLS] none");
  EXPECT_EQ(read(ToolStyle::none, "<tool_call>{}"), "|<tool_call>{}");
}

}  // namespace
}  // namespace lanerope::text
