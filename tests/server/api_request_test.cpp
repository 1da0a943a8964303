// SPDX-License-Identifier: Apache-2.0
#include "server/api_request.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace lanerope::server {
namespace {

ApiRequest chat(const std::string& more) {
  return parse_api_request(ApiEndpoint::chat,
                           R"({"messages": [{"role": "user", "content": "hi"}])" + more + "}");
}

struct Refusal {
  const char* fields;
  const char* message;
};

class RefusedRequest : public testing::TestWithParam<Refusal> {};

TEST_P(RefusedRequest, SaysWhatIsWrong) {
  try {
    chat(std::string(", ") + GetParam().fields);
    FAIL() << "accepted " << GetParam().fields;
  } catch (const ApiError& error) {
    EXPECT_STREQ(error.what(), GetParam().message);
    EXPECT_EQ(error.status, 400);
    EXPECT_FALSE(error.param.empty());
  }
}

INSTANTIATE_TEST_SUITE_P(
    Chat, RefusedRequest,
    testing::Values(
        Refusal{R"("n": 0)", "n must be a whole number from 1 to 1024"},
        Refusal{R"("n": "4")", "n must be a whole number, not a string"},
        Refusal{R"("n": 99999999999999999999)", "n must be a whole number from 1 to 1024"},
        Refusal{R"("priority": "high")", "priority must be a whole number, not a string"},
        Refusal{R"("temperature": -0.1)", "temperature must be a number from 0 to 100"},
        Refusal{R"("temperature": 1e99)", "temperature must be a number from 0 to 100"},
        Refusal{R"("top_p": -0.1)", "top_p must be a number from 0 to 1"},
        Refusal{R"("top_k": -2)", "top_k must be a whole number from -1 to 2147483647"},
        Refusal{R"("repeat_last_n": -2)", "repeat_last_n must be a whole number from -1 to 16777216"},
        Refusal{R"("continue_final_message": true, "add_generation_prompt": true)",
                "continue_final_message excludes add_generation_prompt"},
        Refusal{R"("add_generation_prompt": false)",
                "add_generation_prompt can be false with continue_final_message only"},
        Refusal{R"("lanes": {"count": 0})", "lanes.count must be a whole number from 1 to 1024"},
        Refusal{R"("n": 4, "lanes": {"count": 2, "consensus": 3})",
                "lanes.consensus must not exceed the number of lanes (n)"},
        Refusal{R"("lanes": {"policies": "prune"})",
                "lanes.policies must be an array of strings, not a string"},
        Refusal{R"("lanes": {"policies": ["prune:windo=3"]})",
                "the policy prune has no \"windo\"; it has window, ratio, keep"},
        Refusal{R"("max_tokens": 0)", "max_tokens must be at least 1"},
        Refusal{R"("max_completion_tokens": -2)",
                "max_completion_tokens must be a whole number from -1 to 16777216"},
        Refusal{R"("stop": [1])", "stop must hold strings only, not a number"},
        Refusal{R"("stop": "")", "stop holds an empty string, which would stop everything"},
        Refusal{R"("stream": "yes")", "stream must be true or false, not a string"},
        Refusal{R"("top_logprobs": 5)", "top_logprobs needs logprobs to be true"},
        Refusal{R"("logprobs": true, "top_logprobs": 21)",
                "top_logprobs must be a whole number from 0 to 20"},
        Refusal{R"("logit_bias": {"x": 1})", "logit_bias must map token ids to numbers"},
        Refusal{R"("logit_bias": [1])", "logit_bias must be an object from token ids to biases"},
        Refusal{R"("seed": -2)", "seed must be a whole number from -1 to 9223372036854775807"},
        Refusal{R"("lora": [{"scale": 1}])", "lora.id is missing"},
        Refusal{R"("lora": [{"id": 0, "scael": 0.5}])",
                "lora.scael is no field that is known here; there are id, scale"},
        Refusal{R"("lora": [{"id": 1, "scale": 1}, {"id": 1, "scale": 0}])",
                "lora.id names adapter 1 a second time; name each once"},
        Refusal{R"("max_tokens": 9, "max_completion_tokens": 7)",
                "max_completion_tokens and max_tokens say two things; send one of them"},
        Refusal{R"("repeat_penalty": 1.1, "repetition_penalty": 1.2)",
                "repetition_penalty and repeat_penalty say two things; send one of them"},
        Refusal{R"("lanes": {"reserve": 1})",
                "lanes.reserve is for live groups; leave it out, or send the request to /v1/groups"},
        Refusal{R"("lanes": {"attention": true})",
                "lanes.attention is for live groups; leave it out, or send the request to /v1/groups"},
        Refusal{R"("lanes": {"hold": true})",
                "lanes.hold is for live groups; leave it out, or send the request to /v1/groups"},
        Refusal{R"("lanes": [])", "lanes must be an object, not an array"},
        Refusal{R"("lanes": {"coupling": "tight"})",
                "lanes.coupling must be one of independent, lanerope, groupthink, hogwild, bridge, not "
                "\"tight\""},
        Refusal{R"("lanes": {"init": "given"})",
                "lanes.init must be one of rope, gt, ntk, ntk-by-parts, not \"given\""},
        Refusal{R"("lanes": {"coupling": "hogwild", "init": "gt"})",
                "lanes.init belongs to the lanerope coupling; leave it out or ask for that coupling"},
        Refusal{R"("lanes": {"then": "Sum up.", "return": "all"})",
                "lanes.return cannot be \"all\" with a second stage, whose text is the one answer"},
        Refusal{R"("lanes": {"then": "Sum up.", "select": "vote"})",
                "lanes.select cannot be anything but \"then\" with a second stage; leave it out"},
        Refusal{R"("lanes": {"then_budget": 9})",
                "lanes.then_budget is the budget of a second stage; say what it does, with then"},
        Refusal{R"("lanes": {"select": "none", "return": "selected"})",
                "lanes.return cannot be \"selected\" where select is \"none\""},
        Refusal{
            R"("lanes": {"vote_weight": "heavy"})",
            "lanes.vote_weight must be one of equal, logprob, self-certainty, lowest-window, not \"heavy\""},
        Refusal{R"("lanes": {"certainty_window": -1})",
                "lanes.certainty_window must be a whole number from 0 to 1048576"},
        Refusal{R"("n": 2, "lanes": {"text": ["a", "b", "c"]})",
                "lanes.text holds more texts than there are lanes (n)"},
        Refusal{R"("n": 2, "lanes": {"consensus": 3})",
                "lanes.consensus must not exceed the number of lanes (n)"}));

struct BadMessages {
  const char* body;
  const char* message;
};
class RefusedMessages : public testing::TestWithParam<BadMessages> {};
TEST_P(RefusedMessages, SaysWhatIsWrong) {
  try {
    parse_api_request(ApiEndpoint::chat, GetParam().body);
    FAIL() << "accepted " << GetParam().body;
  } catch (const ApiError& error) {
    EXPECT_STREQ(error.what(), GetParam().message);
  }
}
INSTANTIATE_TEST_SUITE_P(
    Chat, RefusedMessages,
    testing::Values(
        BadMessages{"{}", "messages is missing"},
        BadMessages{R"({"messages": []})", "messages must be an array with at least one message"},
        BadMessages{R"({"messages": ["hi"]})", "messages[0] must be an object, not a string"},
        BadMessages{R"({"messages": [{"content": "hi"}]})", "messages[0].role is missing"},
        BadMessages{R"({"messages": [{"role": "user", "content": 5}]})",
                    "messages[0].content must be a string or an array of text parts"},
        BadMessages{
            R"({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]})",
            "messages[0].content holds a part of type \"image_url\", and lanerope reads text only: no "
            "images, sounds or files"},
        BadMessages{R"({"messages": [{"role": "robot", "content": "hi"}]})",
                    "messages[0].role must be system, developer, user, assistant or tool"},
        BadMessages{R"({"messages": [{"role": "assistant", "tool_calls": [{"id": "a"}]}]})",
                    "messages[0].tool_calls[0].function is missing"}));

TEST(ApiRequest, TakesWhatClientsSend) {
  const ApiRequest request = chat(
      R"(, "model": "gpt", "n": 4, "max_tokens": 7, "max_completion_tokens": 7, "temperature": 0.5, "stop": "END",
         "stream": true, "stream_options": {"include_usage": true}, "seed": 3, "user": "u", "logit_bias": {"5": -100, "6": 2},
         "lora": [{"id": 1}, {"id": 0, "path": "sums.gguf", "scale": 0.5}],
         "lanes": {"coupling": "lanerope", "init": "ntk-by-parts", "window": 8, "tag": "", "select": "logprob",
                   "vote_weight": "lowest-window", "certainty_window": 32, "consensus": 3, "return": "selected", "text": ["a"], "future": {}})");
  EXPECT_EQ(request.n, 4);
  EXPECT_EQ(request.max_tokens, 7) << "two names of one thing may both be there";
  EXPECT_EQ(request.stop, std::vector<std::string>{"END"});
  EXPECT_TRUE(request.stream && request.include_usage);
  EXPECT_EQ(request.seed, 3U);
  EXPECT_FLOAT_EQ(request.sampling.temperature, 0.5F);
  EXPECT_TRUE(std::isinf(request.sampling.logit_bias[0].bias)) << "OpenAI's -100 bans a token";
  EXPECT_FLOAT_EQ(request.sampling.logit_bias[1].bias, 2.0F);
  ASSERT_EQ(request.lora.value().size(), 2U);
  EXPECT_EQ(request.lora->at(0).id, 1);
  EXPECT_EQ(request.lora->at(0).scale, 1) << "all of it, where nothing is said";
  EXPECT_EQ(request.lora->at(1).scale, 0.5F) << "an entry of GET /lora-adapters, sent back";
  EXPECT_EQ(request.lanes.coupling.kind, CouplingKind::lanerope);
  EXPECT_EQ(request.lanes.coupling.init, OmegaInit::ntk_by_parts);
  EXPECT_EQ(request.lanes.vote_weight, VoteWeight::lowest_window);
  EXPECT_EQ(request.lanes.certainty_window, 32);
  EXPECT_EQ(request.lanes.tag, "");
  EXPECT_EQ(request.lanes.returned, ReturnedLanes::selected);
  EXPECT_EQ(request.lanes.texts, std::vector<std::string>{"a"});
  EXPECT_EQ(request.unknown, std::vector<std::string>{"lanes.future"});
}

// What other servers mean by -1 and 0.
TEST(ApiRequest, KnowsSpecialValues) {
  EXPECT_EQ(chat(R"(, "top_k": -1)").sampling.top_k, 0) << "all";
  EXPECT_EQ(chat(R"(, "repeat_last_n": -1)").sampling.penalty_window, 1 << 24) << "everything";
  EXPECT_EQ(chat(R"(, "repeat_last_n": 0)").sampling.penalty_window, 0);
  EXPECT_EQ(chat(R"(, "seed": -1)").seed, std::nullopt);
  EXPECT_EQ(chat(R"(, "max_tokens": -1)").max_tokens, std::nullopt);
  EXPECT_EQ(chat(R"(, "max_tokens": 9, "n_predict": -1)").max_tokens, 9) << "among all that a client has";
  EXPECT_EQ(chat(R"(, "max_completion_tokens": 9, "max_tokens": -1)").max_tokens, 9);
  EXPECT_GT(chat(R"(, "top_p": 0)").sampling.top_p, 0) << "the likeliest token stays";
  EXPECT_LT(chat(R"(, "top_p": 0)").sampling.top_p, 1e-5);
  EXPECT_EQ(chat(R"(, "temperature": 0, "min_p": 0)").sampling.min_p, 0);
  const ApiRequest silent = parse_api_request(ApiEndpoint::completion, R"({"prompt": "x", "max_tokens": 0})");
  EXPECT_TRUE(silent.no_text);
  EXPECT_EQ(silent.max_tokens, 1) << "written inside";
}

TEST(ApiRequest, TellsNoAdaptersFromNoWordOfThem) {
  EXPECT_FALSE(chat("").lora.has_value()) << "as they are";
  EXPECT_FALSE(chat(R"(, "lora": null)").lora.has_value());
  ASSERT_TRUE(chat(R"(, "lora": [])").lora.has_value()) << "all off";
  EXPECT_TRUE(chat(R"(, "lora": [])").lora->empty());
}

TEST(ApiRequest, OfAGroupIsAStreamOfAllLanes) {
  const auto refused = [](const std::string& more) -> std::string {
    try {
      parse_api_request(ApiEndpoint::group, R"({"prompt": "x")" + more + "}");
    } catch (const ApiError& error) {
      return error.param;
    }
    return "";
  };
  EXPECT_EQ(refused(R"(, "stream": false)"), "stream");
  EXPECT_EQ(refused(R"(, "stream": true, "stream_options": {"include_usage": false})"), "");
  EXPECT_EQ(refused(R"(, "stream_options": {"include_usage": true})"), "stream_options");
  EXPECT_EQ(refused(R"(, "lanes": {"return": "selected"})"), "lanes.return");
  EXPECT_EQ(refused(R"(, "lanes": {"reserve": 2, "attention": true, "hold": true})"), "");
}

// n answers are n lanes of one group, or each the answer of a group of its own.
TEST(ApiRequest, NamesPolicies) {
  const ApiRequest request = chat(R"(, "lanes": {"policies": ["consensus", "prune:window=32"]})");
  ASSERT_EQ(request.lanes.policies.size(), 2U);
  EXPECT_EQ(to_text(request.lanes.policies[1]), "prune:window=32,ratio=0.8,keep=2");
}

TEST(ApiRequest, TakesASecondStage) {
  const ApiRequest request = chat(R"(, "n": 3, "lanes": {"then": "Sum up {n}.", "then_budget": 9})");
  ASSERT_TRUE(request.lanes.then.has_value());
  EXPECT_EQ(request.lanes.then->text, "Sum up {n}.");
  EXPECT_EQ(request.lanes.then->budget, 9);
  EXPECT_EQ(request.choices_each(), 1) << "its text is the one answer";
}

TEST(ApiRequest, TellsLanesFromAnswers) {
  const ApiRequest lanes = chat(R"(, "n": 3)");
  EXPECT_EQ(lanes.groups_each(), 1);
  EXPECT_EQ(lanes.lanes_each(), 3);
  EXPECT_EQ(lanes.choices_each(), 3);
  const ApiRequest answers = chat(R"(, "n": 3, "lanes": {"count": 4})");
  EXPECT_EQ(answers.groups_each(), 3);
  EXPECT_EQ(answers.lanes_each(), 4);
  EXPECT_EQ(answers.choices_each(), 1) << "the selected one";
  EXPECT_EQ(chat(R"(, "n": 3, "lanes": {"count": 4, "return": "all"})").choices_each(), 4);
  EXPECT_THROW(parse_api_request(ApiEndpoint::group, R"({"prompt": "x", "n": 2, "lanes": {"count": 2}})"),
               ApiError);
  EXPECT_THROW(chat(R"(, "n": 1024, "lanes": {"count": 1024})"), ApiError);
}

TEST(ApiRequest, TakesPartsDevelopersAndCalls) {
  const ApiRequest request = parse_api_request(
      ApiEndpoint::chat,
      R"({"messages": [{"role": "developer", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
                       {"role": "assistant", "content": null, "reasoning_content": "hm", "tool_calls": [
                         {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{\"a\": 1}"}}]},
                       {"role": "tool", "tool_call_id": "c1", "content": "2"}]})");
  EXPECT_EQ(request.messages[0].role, "developer");
  ASSERT_EQ(request.messages[0].parts.size(), 2U);
  EXPECT_EQ(request.messages[0].parts[1].text, "b");
  EXPECT_EQ(request.messages[1].content, "");
  EXPECT_EQ(request.messages[1].reasoning, "hm");
  ASSERT_EQ(request.messages[1].tool_calls.size(), 1U);
  EXPECT_EQ(request.messages[1].tool_calls[0].arguments, "{\"a\": 1}");
  EXPECT_EQ(request.messages[2].tool_call_id, "c1");
}

TEST(ApiRequest, TakesCompletionsAsTextOrTokens) {
  const auto parse = [](const char* body) { return parse_api_request(ApiEndpoint::completion, body); };
  EXPECT_EQ(parse(R"({"prompt": "x", "logprobs": 2})").top_logprobs, 2);
  EXPECT_EQ(parse(R"({"prompt": ["x"]})").prompts.at(0).text, "x");
  EXPECT_TRUE(parse(R"({"prompt": ["x"]})").many_prompts);
  EXPECT_EQ(parse(R"({"prompt": [1, 2]})").prompts.at(0).tokens, (std::vector<TokenId>{1, 2}));
  EXPECT_EQ(parse(R"({"prompt": [[1, 2], [3]]})").prompts.at(1).tokens, (std::vector<TokenId>{3}));
  EXPECT_EQ(parse(R"({"prompt": ["x", "y"]})").prompts.at(1).text, "y");
  EXPECT_FALSE(parse(R"({"prompt": [1, 2]})").many_prompts);
  EXPECT_THROW(parse(R"({"prompt": []})"), ApiError);
  EXPECT_THROW(parse(R"({"prompt": ["x", ""]})"), ApiError);
  EXPECT_THROW(parse(R"({"prompt": [[], [1]]})"), ApiError);
  EXPECT_THROW(parse(R"({"prompt": {"prompt_string": "x"}})"), ApiError);
  EXPECT_THROW(parse_api_request(ApiEndpoint::group, R"({"prompt": ["x", "y"]})"), ApiError);
  EXPECT_EQ(parse(R"({"prompt": "x", "max_tokens": -1, "seed": -1})").max_tokens, std::nullopt);
  EXPECT_THROW(parse(R"({"prompt": [1, -2]})"), ApiError);
  EXPECT_THROW(parse(R"({"prompt": ""})"), ApiError);
}

}  // namespace
}  // namespace lanerope::server
