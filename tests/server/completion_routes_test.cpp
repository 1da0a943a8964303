// SPDX-License-Identifier: Apache-2.0
// What completions of every kind answer: indices, log-probabilities and offsets as other programs read them,
// answers by groups of their own, by OpenAI's completions and llama.cpp's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/server/running_server.h"
#include "tests/support/random_models.h"

namespace lanerope::server {
namespace {

using ::testing::HasSubstr;

TEST(Completions, OfManyPromptsHaveTheirIndicesInOrder) {
  const Running running;
  const std::string rest = R"(, "n": 2, "max_tokens": 5, "temperature": 0, "ignore_eos": true)";
  const Json many =
      post(running, "/v1/completions", R"({"prompt": ["one two", "three", [72, 101]])" + rest + "}").json;
  ASSERT_EQ(many["choices"].size(), 6U);
  for (size_t i = 0; i < 6; ++i) EXPECT_EQ(many["choices"][i]["index"], i);
  int64_t prompt_tokens = 0;
  const char* prompts[] = {R"("one two")", R"("three")", "[72, 101]"};
  for (size_t p = 0; p < 3; ++p) {
    const Json one =
        post(running, "/v1/completions", std::string(R"({"prompt": )") + prompts[p] + rest + "}").json;
    for (size_t j = 0; j < 2; ++j)
      EXPECT_EQ(many["choices"][2 * p + j]["text"], one["choices"][j]["text"]) << p << " " << j;
    prompt_tokens += one["usage"]["prompt_tokens"].get<int64_t>();
  }
  EXPECT_EQ(many["usage"]["prompt_tokens"], prompt_tokens);
  EXPECT_EQ(many["usage"]["completion_tokens"], 30);
  EXPECT_EQ(many["groups"].size(), 3U);
}

TEST(Completions, TellWhatPoliciesDid) {
  const Running running;
  const auto ask = [&](const std::string& lanes) {
    return post(
        running, "/v1/completions",
        R"({"prompt": "one two", "max_tokens": 12, "seed": 1, "ignore_eos": true, "n": 1, "lanes": )" +
            lanes + "}");
  };
  const Reply reply =
      ask(R"({"count": 2, "policies": ["fork-on-doubt:gap=1,apart=3,most=1", "budget:tokens=20"]})");
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(reply.json["choices"].size(), 1U);
  const Json& lanes = reply.json["lanes"];
  EXPECT_EQ(lanes["lanes"].size(), 3U);
  ASSERT_EQ(lanes["acts"].size(), 2U);
  EXPECT_EQ(lanes["acts"][0]["act"], "fork");
  EXPECT_EQ(lanes["acts"][0]["lane"], 2);
  EXPECT_EQ(lanes["acts"][0]["step"], 3);
  EXPECT_EQ(lanes["acts"][1]["policy"], "budget");
  // Where each lane is a choice, one more would be none that the client knows.
  const Reply refused = ask(R"({"policies": ["refill"]})");
  EXPECT_EQ(refused.status, 400);
  EXPECT_THAT(refused.body, HasSubstr("needs one answer that is chosen"));
}

TEST(Completions, OfAForkBeginWithItsParentsText) {
  const Running running;
  Json asked = {{"prompt", "one two"}, {"max_tokens", 24}, {"ignore_eos", true}};
  asked["lanes"] = {{"count", 1},
                    {"text", {"So it begins: "}},
                    {"select", "logprob"},
                    {"policies", {"fork-on-doubt:gap=1,apart=18"}}};
  for (const char* path : {"/v1/completions", "/completion"}) {
    int forks = 0;
    for (int seed = 1; seed < 40 && forks == 0; ++seed) {
      asked["seed"] = seed;
      const Json reply = post(running, path, asked.dump()).json;
      if (reply["lanes"]["selected"] == 0) continue;
      ++forks;
      const Json& text = reply.contains("content") ? reply["content"] : reply["choices"][0]["text"];
      EXPECT_THAT(text.get<std::string>(), ::testing::StartsWith("So it begins: ")) << path;
    }
    EXPECT_EQ(forks, 1) << path << ": with some seed a fork is the likeliest lane";
  }
}

TEST(Completions, OfMorePromptsThanTheQueueTakesAreAnsweredAllTheSame) {
  const Running running({.service = {.engine = {.kv_cells = 128}, .most_waiting = 2}});
  Json prompts = Json::array();
  for (int i = 0; i < 40; ++i) prompts.push_back("number " + std::to_string(i));
  const Json request = {{"prompt", prompts}, {"max_tokens", 3}, {"ignore_eos", true}};
  const Reply reply = post(running, "/v1/completions", request.dump());
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(reply.json["choices"].size(), 40U);
  httplib::Client client = running.client();
  EXPECT_EQ(metric(client, "groups_refused_total"), 0) << "they waited, and nobody was told otherwise";
}

// As lm-eval asks for it: every token of the prompt and one that was generated.
TEST(Completions, EchoTheLogprobsOfTheirPrompts) {
  const Running running;
  const auto ask = [&](int most) {
    return post(
               running, "/v1/completions",
               R"({"prompt": [[72, 101, 108, 108, 111]], "temperature": 0, "logprobs": 1, "seed": 1234, "echo": true, "max_tokens": )" +
                   std::to_string(most) + "}")
        .json;
  };
  const Json one = ask(1)["choices"][0]["logprobs"];
  ASSERT_EQ(one["tokens"].size(), 6U) << "five of the prompt and one generated";
  ASSERT_EQ(one["token_logprobs"].size(), 6U);
  EXPECT_TRUE(one["token_logprobs"][0].is_null());
  EXPECT_TRUE(one["top_logprobs"][0].is_null());
  EXPECT_EQ(one["text_offset"][0], 0);
  for (size_t i = 1; i < 6; ++i) {
    double best = -1e9;
    for (const auto& [token, logprob] : one["top_logprobs"][i].items())
      best = std::max(best, logprob.get<double>());
    EXPECT_LE(one["token_logprobs"][i].get<double>(), best);
    EXPECT_GE(one["top_logprobs"][i].size(), 1U);
    EXPECT_LE(one["top_logprobs"][i].size(), 2U) << "the likeliest, and the token itself where it is another";
    EXPECT_TRUE(one["top_logprobs"][i].contains(one["tokens"][i].get<std::string>()));
  }
  EXPECT_EQ(one["top_logprobs"][5].size(), 1U) << "greedy: the same number, not one like it";
  const Json none = ask(0);
  EXPECT_EQ(none["choices"][0]["logprobs"]["tokens"].size(), 5U);
  EXPECT_EQ(none["choices"][0]["finish_reason"], "length");
  EXPECT_EQ(none["usage"]["completion_tokens"], 0);
  EXPECT_EQ(none["choices"][0]["text"], "Hello");
  for (size_t i = 0; i < 5; ++i)
    EXPECT_EQ(none["choices"][0]["logprobs"]["token_logprobs"][i], one["token_logprobs"][i]);

  const Reply streamed = post(
      running, "/v1/completions",
      R"({"prompt": [72, 101, 108, 108, 111], "temperature": 0, "logprobs": 1, "echo": true, "max_tokens": 1, "stream": true})");
  Json tokens = Json::array();
  Json offsets = Json::array();
  for (const Json& chunk : events_of(streamed.body)) {
    if (chunk["choices"].empty() || chunk["choices"][0]["logprobs"].is_null()) continue;
    for (const Json& token : chunk["choices"][0]["logprobs"]["tokens"]) tokens.push_back(token);
    for (const Json& offset : chunk["choices"][0]["logprobs"]["text_offset"]) offsets.push_back(offset);
  }
  EXPECT_EQ(tokens, one["tokens"]) << "a stream says the same";
  EXPECT_EQ(offsets, one["text_offset"]);
}

TEST(Completions, CountOffsetsInCharacters) {
  const Running running;
  const Json json =
      post(running, "/v1/completions",
           R"({"prompt": "aé😀b", "max_tokens": 1, "echo": true, "logprobs": 0, "temperature": 0})")
          .json["choices"][0];
  const Json& offsets = json["logprobs"]["text_offset"];
  const size_t last = offsets.size() - 1;
  EXPECT_EQ(offsets[last], 4) << "four characters, of eight bytes, before what was generated";
  EXPECT_EQ(offsets[last - 1], 3) << "b";
  EXPECT_THAT(json["logprobs"]["tokens"][1].get<std::string>(), HasSubstr("bytes:\\xc3"))
      << "half a character";
  for (size_t i = 1; i < json["logprobs"]["top_logprobs"].size(); ++i)
    EXPECT_EQ(json["logprobs"]["top_logprobs"][i].size(), 1U) << "logprobs 0: the token itself";
}

TEST(Completions, HaveAGroupForEachOfNAnswersWhereLanesAreCounted) {
  const Running running;
  const std::string body =
      R"({"prompt": "count", "n": 3, "max_tokens": 6, "seed": 5, "temperature": 3, "min_p": 0, "top_p": 1, "ignore_eos": true, "lanes": {"count": 4, "select": "logprob")";
  const Json selected = post(running, "/v1/completions", body + "}}").json;
  ASSERT_EQ(selected["choices"].size(), 3U);
  ASSERT_EQ(selected["groups"].size(), 3U);
  for (const Json& group : selected["groups"]) EXPECT_EQ(group["lanes"].size(), 4U);
  EXPECT_NE(selected["choices"][0]["text"], selected["choices"][1]["text"]) << "answers of one seed differ";
  EXPECT_EQ(selected["usage"]["completion_tokens"], 3 * 4 * 6);
  const Json all = post(running, "/v1/completions", body + R"(, "return": "all"}})").json;
  ASSERT_EQ(all["choices"].size(), 12U);
  for (size_t i = 0; i < 3; ++i) {
    const auto lane = selected["groups"][i]["selected"].get<size_t>();
    EXPECT_EQ(all["choices"][4 * i + lane]["text"], selected["choices"][i]["text"]);
    EXPECT_EQ(all["choices"][4 * i + lane]["index"], 4 * i + lane);
  }
  EXPECT_EQ(all["usage"]["prompt_tokens"], selected["usage"]["prompt_tokens"]);
}

TEST(Completions, AnswerWithTheSecondStageWhereThereIsOne) {
  const Running running;
  const Json reply = post(running, "/v1/completions",
                          R"({"prompt": "count", "n": 3, "max_tokens": 6, "seed": 5, "ignore_eos": true,
                              "lanes": {"coupling": "independent", "then": " so", "then_budget": 4}})")
                         .json;
  ASSERT_EQ(reply["choices"].size(), 1U) << reply;
  EXPECT_EQ(reply["lanes"]["selected"], 3);
  EXPECT_EQ(reply["lanes"]["then_lane"], 3);
  EXPECT_EQ(reply["lanes"]["select"], "then");
  ASSERT_EQ(reply["lanes"]["lanes"].size(), 4U);
  EXPECT_EQ(reply["lanes"]["lanes"][3]["start_step"], 6);
  EXPECT_EQ(reply["lanes"]["lanes"][3]["generated"], 4);
  EXPECT_EQ(reply["usage"]["completion_tokens"], 3 * 6 + 4);
}

TEST(Completions, StreamTheirChoicesInOrderAtFirst) {
  const Running running;
  const Reply reply =
      post(running, "/v1/chat/completions",
           R"({"messages": [{"role": "user", "content": "x"}], "n": 3, "max_tokens": 4, "stream": true,
                               "lanes": {"count": 2, "return": "all"}, "stream_options": {"include_usage": true}})");
  int next = 0;
  for (const Json& chunk : events_of(reply.body)) {
    if (chunk["choices"].empty()) continue;
    const int index = chunk["choices"][0]["index"];
    EXPECT_LE(index, next);
    if (index == next) ++next;
  }
  EXPECT_EQ(next, 6);
  EXPECT_EQ(events_of(reply.body).back()["groups"].size(), 3U);
  EXPECT_FALSE(events_of(reply.body).back()["usage"].is_null());
}

TEST(Operator, GivesClientsThatKnowNothingOfLanesTheCollectiveAnswer) {
  ServerOptions options;
  options.presets = {{"", {{"lanes", {{"count", 4}, {"coupling", "lanerope"}, {"select", "logprob"}}}}},
                     {"brief", {{"max_tokens", 2}, {"lanes", {{"count", 2}}}}}};
  const Running running(options);
  const std::string rest = R"("messages": [{"role": "user", "content": "x"}], "ignore_eos": true)";
  const Json plain = post(running, "/v1/chat/completions", "{" + rest + R"(, "max_tokens": 4})").json;
  EXPECT_EQ(plain["choices"].size(), 1U);
  EXPECT_EQ(plain["lanes"]["lanes"].size(), 4U);
  EXPECT_EQ(plain["lanes"]["coupling"]["kind"], "lanerope");
  const Json knows =
      post(running, "/v1/chat/completions", "{" + rest + R"(, "max_tokens": 4, "n": 2, "lanes": {}})").json;
  EXPECT_EQ(knows["choices"].size(), 2U) << "who speaks of lanes is heard";
  const Json brief = post(running, "/v1/chat/completions", "{" + rest + R"(, "model": "brief"})").json;
  EXPECT_EQ(brief["model"], "brief");
  EXPECT_EQ(brief["lanes"]["lanes"].size(), 2U);
  EXPECT_EQ(brief["usage"]["completion_tokens"], 4);
  const Reply streamed =
      post(running, "/v1/chat/completions", "{" + rest + R"(, "max_tokens": 4, "stream": true})");
  for (const Json& chunk : events_of(streamed.body)) EXPECT_FALSE(chunk.contains("lanes"));
}

TEST(Operator, LetsClientsChooseAnAdapterByTheModelsName) {
  const std::string base = support::write_model(tools::preset_model("tiny"));
  const std::string adapter = support::write_adapter({.strength = 2, .seed = 3}, base);
  const auto model = support::load_model(base, BackEnd::kernels, {{.file = adapter, .scale = 0}});
  const Running running({.model_id = "base"}, true, model);
  httplib::Client client = running.client();
  const Json list = Json::parse(client.Get("/v1/models")->body)["data"];
  ASSERT_EQ(list.size(), 2U);
  const std::string id = list[1]["id"];
  EXPECT_TRUE(id.starts_with("base:")) << id;
  const auto text = [&](const std::string& more) {
    return post(running, "/v1/completions",
                R"({"prompt": "one two", "max_tokens": 12, "temperature": 0)" + more + "}")
        .json;
  };
  const Json off = text("");
  const Json on = text(R"(, "model": ")" + id + "\"");
  EXPECT_EQ(on["model"], id);
  EXPECT_NE(on["choices"][0]["text"], off["choices"][0]["text"]);
  EXPECT_EQ(on["choices"][0]["text"], text(R"(, "lora": [{"id": 0, "scale": 1}])")["choices"][0]["text"]);
  EXPECT_EQ(text(R"(, "model": "gpt-4")")["choices"][0]["text"], off["choices"][0]["text"]);
  EXPECT_EQ(post(running, "/v1/completions", R"({"prompt": "x", "model": "base:nobody"})").status, 404);
  const Reply both = post(running, "/v1/completions",
                          R"({"prompt": "x", "lora": [{"id": 0, "scale": 0}], "model": ")" + id + "\"}");
  EXPECT_EQ(both.status, 400);
  EXPECT_EQ(both.json["error"]["param"], "lora") << "which of them holds?";
}

TEST(Models, AreFoundByIdsWithSlashes) {
  const Running running({.model_id = "someone/a model:q8"});
  httplib::Client client = running.client();
  EXPECT_EQ(client.Get("/v1/models/someone/a%20model:q8")->status, 200);
  EXPECT_EQ(client.Get("/v1/models/someone%2Fa%20model%3Aq8")->status, 200);
  EXPECT_EQ(client.Get("/v1/models/nobody")->status, 404);
  const Running plain;
  const std::string id = Json::parse(plain.client().Get("/v1/models")->body)["data"][0]["id"];
  EXPECT_EQ(id, "tiny") << "its file's stem, not the name inside, which has spaces";
}

TEST(Fields, ThatNobodyKnowsAreToldAndCounted) {
  const Running running;
  const Reply reply =
      post(running, "/v1/completions", R"({"prompt": "x", "max_tokens": 1, "temprature": 1, "a\nb,": 1})");
  ASSERT_EQ(reply.status, 200);
  EXPECT_EQ(reply.headers.find("Lanerope-Unknown-Fields")->second, "temprature, a?b?");
  httplib::Client client = running.client();
  EXPECT_EQ(metric(client, "request_fields_unknown_total"), 2);
  EXPECT_EQ(post(running, "/v1/completions", R"({"prompt": "x", "max_tokens": 1})")
                .headers.count("Lanerope-Unknown-Fields"),
            0U);
}

TEST(Embeddings, AreRefusedWithASentence) {
  const Running running;
  const Reply reply = post(running, "/v1/embeddings", R"({"input": "x"})");
  EXPECT_EQ(reply.status, 501);
  EXPECT_EQ(reply.json["error"]["type"], "not_supported_error");
}

TEST(Tokenizer, TellsWhatClientsWithoutOneNeed) {
  const Running running;
  httplib::Client client = running.client();
  const Json info = Json::parse(client.Get("/tokenizer_info")->body);
  EXPECT_TRUE(info["eos_token"].is_string());
  EXPECT_TRUE(info.contains("bos_token") && info.contains("pad_token") && info["chat_template"].is_string());
  const Json vllm = post(running, "/tokenize", R"({"prompt": "hello", "add_special_tokens": false})").json;
  EXPECT_EQ(vllm["count"], vllm["tokens"].size());
  const Json back = post(running, "/detokenize", Json({{"tokens", vllm["tokens"]}}).dump()).json;
  EXPECT_EQ(back["prompt"], "hello");
  EXPECT_EQ(back["content"], "hello");
}

TEST(LlamaCpp, CompletionHasContentAndNoChoices) {
  const Running running;
  const Json one =
      post(
          running, "/completion",
          R"({"prompt": "one two", "n_predict": 4, "temperature": 0, "ignore_eos": true, "n_probs": 2, "return_tokens": true, "cache_prompt": true})")
          .json;
  EXPECT_EQ(one["stop"], true);
  EXPECT_EQ(one["stop_type"], "limit");
  EXPECT_EQ(one["tokens_predicted"], 4);
  EXPECT_EQ(one["tokens"].size(), 4U);
  EXPECT_EQ(one["completion_probabilities"].size(), 4U);
  EXPECT_EQ(one["completion_probabilities"][0]["top_logprobs"].size(), 2U);
  EXPECT_EQ(one["completion_probabilities"][0]["id"], one["tokens"][0]);
  const Json many =
      post(running, "/completion", R"({"prompt": ["one two", "x"], "n_predict": 4, "temperature": 0})").json;
  ASSERT_EQ(many.size(), 2U);
  EXPECT_EQ(many[0]["content"], one["content"]);
  EXPECT_EQ(many[1]["index"], 1);
  EXPECT_EQ(post(running, "/completion", R"({"prompt": "one two", "n_predict": 0})").json["content"], "");
  const Reply streamed = post(running, "/completions",
                              R"({"prompt": "one two", "n_predict": 4, "temperature": 0, "stream": true})");
  std::string text;
  const std::vector<Json> events = events_of(streamed.body);
  for (const Json& event : events) text += event["content"].get<std::string>();
  EXPECT_EQ(Json(text), one["content"]);
  EXPECT_EQ(events.back()["stop"], true);
  EXPECT_EQ(streamed.body.find("[DONE]"), std::string::npos);
}

TEST(LlamaCpp, SlotsAreWhatMayRun) {
  const Running running;
  httplib::Client client = running.client();
  const Json slots = Json::parse(client.Get("/slots")->body);
  ASSERT_GT(slots.size(), 0U);
  EXPECT_EQ(slots[0]["is_processing"], false);
  EXPECT_EQ(client.Get("/slots?fail_on_no_slot=1")->status, 200);
  const Json props = Json::parse(client.Get("/props")->body);
  EXPECT_EQ(props["total_slots"], slots.size());
  EXPECT_EQ(props["modalities"]["vision"], false);
}

}  // namespace
}  // namespace lanerope::server
