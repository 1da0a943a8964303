// SPDX-License-Identifier: Apache-2.0
// Every field that clients send is honoured, left aside or refused by name, and a field that nobody knows is
// told. docs/server.md has the same table.
#include "server/field_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "server/json_fields.h"

namespace lanerope::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string refusal(ApiEndpoint endpoint, const std::string& fields) {
  try {
    check_fields(endpoint, Json::parse("{" + fields + "}"));
    return "";
  } catch (const ApiError& error) {
    EXPECT_EQ(error.status, 400);
    EXPECT_TRUE(std::string(error.what()).starts_with(error.param)) << "it says which";
    return error.param;
  }
}

struct Row {
  const char* fields;
  const char* refused;  // empty: accepted
};
class ChatField : public testing::TestWithParam<Row> {};

TEST_P(ChatField, IsHonouredLeftAsideOrRefused) {
  EXPECT_EQ(refusal(ApiEndpoint::chat, GetParam().fields), GetParam().refused) << GetParam().fields;
}

INSTANTIATE_TEST_SUITE_P(
    Official, ChatField,
    testing::Values(
        Row{R"("metadata": {"a": "b"}, "moderation": {}, "prediction": {"type": "content"})", ""},
        Row{R"("prompt_cache_key": "k", "prompt_cache_options": {}, "prompt_cache_retention": "24h")", ""},
        Row{R"("safety_identifier": "s", "service_tier": "auto", "store": true, "user": "u")", ""},
        Row{R"("verbosity": "low", "parallel_tool_calls": false, "reasoning_effort": "low")", ""},
        Row{R"("audio": {"voice": "alloy"})", "audio"}, Row{R"("audio": null)", ""},
        Row{R"("modalities": ["text"])", ""}, Row{R"("modalities": ["text", "audio"])", "modalities"},
        Row{R"("web_search_options": {})", "web_search_options"},
        Row{R"("functions": [{"name": "f"}])", "functions"}, Row{R"("functions": [])", ""},
        Row{R"("function_call": "auto")", ""}, Row{R"("function_call": {"name": "f"})", "function_call"}));
INSTANTIATE_TEST_SUITE_P(
    OfVllm, ChatField,
    testing::Values(Row{R"("priority": 3)", ""}, Row{R"("cache_salt": "x", "request_id": "r")", ""},
                    Row{R"("min_tokens": 0, "stop_token_ids": [], "skip_special_tokens": true)", ""},
                    Row{R"("min_tokens": 5)", "min_tokens"},
                    Row{R"("stop_token_ids": [1])", "stop_token_ids"},
                    Row{R"("include_stop_str_in_output": true)", "include_stop_str_in_output"},
                    Row{R"("skip_special_tokens": false)", "skip_special_tokens"},
                    Row{R"("bad_words": ["x"])", "bad_words"},
                    Row{R"("allowed_token_ids": [1])", "allowed_token_ids"},
                    Row{R"("prompt_logprobs": 1)", "prompt_logprobs"},
                    Row{R"("chat_template": "{{x}}")", "chat_template"},
                    Row{R"("use_beam_search": true)", "use_beam_search"}, Row{R"("length_penalty": 1.0)", ""},
                    Row{R"("documents": [{}])", "documents"}, Row{R"("echo": false)", ""},
                    Row{R"("echo": true)", "echo"}));
INSTANTIATE_TEST_SUITE_P(
    OfLlamaCpp, ChatField,
    testing::Values(
        Row{R"("cache_prompt": true, "id_slot": -1, "n_keep": -1, "timings_per_token": true)", ""},
        Row{R"("typical_p": 1.0, "mirostat": 0, "dry_multiplier": 0.0, "xtc_probability": 0)", ""},
        Row{R"("dynatemp_range": 0, "top_n_sigma": -1, "t_max_predict_ms": -1, "grammar": "")", ""},
        Row{R"("typical_p": 0.9)", "typical_p"}, Row{R"("mirostat": 2)", "mirostat"},
        Row{R"("samplers": ["top_k"])", "samplers"}, Row{R"("dry_multiplier": 0.8)", "dry_multiplier"},
        Row{R"("xtc_probability": 0.5)", "xtc_probability"},
        Row{R"("post_sampling_probs": true)", "post_sampling_probs"}));

TEST(FieldRules, BelongToTheirEndpoint) {
  EXPECT_EQ(refusal(ApiEndpoint::completion, R"("echo": true, "best_of": 2)"), "");
  EXPECT_EQ(refusal(ApiEndpoint::completion, R"("suffix": "end")"), "suffix");
  EXPECT_EQ(refusal(ApiEndpoint::completion, R"("suffix": "")"), "");
  EXPECT_EQ(refusal(ApiEndpoint::completion, R"("messages": [{}])"), "messages");
  EXPECT_EQ(refusal(ApiEndpoint::native_completion, R"("n_probs": 5, "return_tokens": true)"), "");
  EXPECT_EQ(refusal(ApiEndpoint::completion, R"("n_probs": 5)"), "n_probs");
  EXPECT_EQ(refusal(ApiEndpoint::native_completion, R"("logprobs": 5)"), "logprobs");
  EXPECT_EQ(refusal(ApiEndpoint::native_completion, R"("logprobs": false)"), "");
  for (const ApiEndpoint endpoint : {ApiEndpoint::chat, ApiEndpoint::completion, ApiEndpoint::group})
    EXPECT_EQ(refusal(endpoint, R"("logprobs": 1)"), "");
}

TEST(FieldRules, OfAGroupThatGoWithMessagesAreRefusedWithoutThem) {
  const std::pair<const char*, const char*> with_messages[] = {
      {"tools", R"([{"type": "function", "function": {"name": "f"}}])"},
      {"tool_choice", R"("required")"},
      {"chat_template_kwargs", R"({"enable_thinking": false})"},
      {"thinking_token_budget", "8"},
      {"reasoning_budget_tokens", "8"},
      {"thinking_budget_tokens", "8"},
      {"continue_final_message", "true"},
      {"add_generation_prompt", "false"},
  };
  for (const auto& [name, value] : with_messages) {
    const std::string field = ", \"" + std::string(name) + "\": " + value;
    EXPECT_EQ(refusal(ApiEndpoint::group, R"("prompt": "x")" + field), name);
    EXPECT_EQ(refusal(ApiEndpoint::group, R"("prompt": "x", "messages": null)" + field), name);
    EXPECT_EQ(refusal(ApiEndpoint::group, R"("messages": [{}])" + field), "") << name;
  }
  EXPECT_EQ(refusal(ApiEndpoint::group, R"("prompt": "x", "tools": [], "tool_choice": "auto")"), "");
}

TEST(FieldRules, ToolsGoWithMessages) {
  const std::string tools = R"("tools": [{"type": "function", "function": {"name": "f"}}])";
  EXPECT_EQ(refusal(ApiEndpoint::chat, tools), "");
  EXPECT_EQ(refusal(ApiEndpoint::completion, tools), "tools");
  EXPECT_EQ(refusal(ApiEndpoint::completion, R"("tools": [], "tool_choice": "auto")"), "");
  EXPECT_EQ(refusal(ApiEndpoint::completion, R"("chat_template_kwargs": {"a": 1})"), "chat_template_kwargs");
  EXPECT_EQ(refusal(ApiEndpoint::native_completion, R"("grammar": "root ::= \"a\"")"), "");
}

TEST(FieldRules, UnknownOnesAreListedByTheirPaths) {
  const Json body = Json::parse(
      R"({"messages": [], "temprature": 1, "lanes": {"cuont": 4, "count": 2}, "stream_options": {"x": 1}})");
  EXPECT_THAT(check_fields(ApiEndpoint::chat, body),
              ElementsAre("temprature", "lanes.cuont", "stream_options.x"));
  const Json stream =
      Json::parse(R"({"stream_options": {"include_usage": true, "continuous_usage_stats": true}})");
  EXPECT_THAT(check_fields(ApiEndpoint::chat, stream), ElementsAre("stream_options.continuous_usage_stats"))
      << "usage comes once, at the end";
  EXPECT_THAT(check_fields(ApiEndpoint::chat, Json::parse(R"({"messages": [], "lanes": 3})")), IsEmpty())
      << "a wrong type is for the parser to refuse";
}

TEST(FieldRules, NameEachFieldOnceAndAreAllInTheManual) {
  std::ifstream file(LANEROPE_SOURCE_DIR "/docs/server.md");
  const std::string manual{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  ASSERT_THAT(manual, HasSubstr("# The server"));
  std::set<std::string_view> seen;
  for (const FieldRule& rule : field_rules()) {
    EXPECT_TRUE(seen.insert(rule.name).second) << rule.name;
    EXPECT_THAT(manual, HasSubstr("`" + std::string(rule.name) + "`"));
    EXPECT_TRUE(rule.harmless == "*" || Json::parse(rule.harmless).is_array()) << rule.name;
  }
}

}  // namespace
}  // namespace lanerope::server
