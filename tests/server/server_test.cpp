// SPDX-License-Identifier: Apache-2.0
// The whole server in this process: what thread sanitizer can watch. Clients as people have them are in
// clients/.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/server/running_server.h"

namespace lanerope::server {
namespace {

TEST(Server, SaysThatItIsLoadingUntilItHasAModel) {
  Running running({}, /*attach=*/false);
  httplib::Client client = running.client();
  for (const char* path : {"/health", "/v1/models", "/props"}) {
    const auto reply = client.Get(path);
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->status, 503) << path;
    EXPECT_EQ(Json::parse(reply->body)["error"]["message"], "Loading model");
  }
  EXPECT_EQ(client.Get("/")->status, 200) << "the page shows it";
  running.server().attach(tiny_model());
  EXPECT_EQ(client.Get("/health")->status, 200);
}

TEST(Server, SaysWhyItHasNoModel) {
  Running running({}, /*attach=*/false);
  running.server().set_reason("nobody answers in the attic; trying again");
  httplib::Client client = running.client();
  for (const char* path : {"/health", "/v1/models"}) {
    const auto reply = client.Get(path);
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->status, 503) << path;
    EXPECT_EQ(Json::parse(reply->body)["error"]["message"], "nobody answers in the attic; trying again");
  }
}

TEST(Server, EndsStreamsWithTheSentenceThatItIsAbandonedWith) {
  Running running({.service = {.engine = {.kv_cells = 4096}}});
  httplib::Client reader = running.client();
  std::promise<void> begun;
  std::string body;
  std::thread reading([&] {
    httplib::Request request;
    request.method = "POST";
    request.path = "/v1/completions";
    request.set_header("Content-Type", "application/json");
    request.body = R"({"prompt": "count", "n": 2, "max_tokens": 1500, "ignore_eos": true, "stream": true})";
    request.content_receiver = [&](const char* data, size_t size, uint64_t, uint64_t) {
      if (body.empty()) begun.set_value();
      body.append(data, size);
      return true;
    };
    reader.send(request);
  });
  begun.get_future().wait();
  running.server().abandon("the worker in the attic is gone");
  reading.join();
  EXPECT_EQ(events_of(body).back()["error"]["message"], "the worker in the attic is gone");
  httplib::Client late = running.client();
  EXPECT_EQ(late.Get("/health")->status, 503);
}

TEST(Server, CanBeStoppedBeforeItListens) {
  for (int i = 0; i < 5; ++i) {
    ServerOptions options;
    options.port = 0;
    Server server(options);
    httplib::Client client("127.0.0.1", server.bind());
    const auto listening = std::async(std::launch::async, [&] { server.listen(); });
    EXPECT_TRUE(server.drain(std::chrono::seconds(0))) << "nothing was running";
    server.stop();
    EXPECT_EQ(listening.wait_for(std::chrono::seconds(10)), std::future_status::ready);
    client.set_connection_timeout(std::chrono::milliseconds(100));
    client.set_read_timeout(std::chrono::milliseconds(100));
    EXPECT_FALSE(client.Get("/health")) << "nobody is there to answer";
  }
}

TEST(Server, RunsManyClientsAtOnceWithoutMixingThemUp) {
  const Running running({.service = {.engine = {.kv_cells = 4096, .batch_rows = 64}, .most_waiting = 64}});
  const auto body = [](int seed) {
    return R"({"prompt": "count", "n": 3, "max_tokens": 24, "ignore_eos": true, "seed": )" +
           std::to_string(seed) + "}";
  };
  std::vector<Json> alone;
  {
    httplib::Client client = running.client();
    complete(client, body(0));
    for (int k = 0; k < 6; ++k) alone.push_back(complete(client, body(k))["choices"]);
  }
  std::vector<std::thread> threads;
  std::atomic<int> same = 0;
  for (int k = 0; k < 6; ++k) {
    threads.emplace_back([&, k] {
      httplib::Client client = running.client();
      for (int round = 0; round < 3; ++round) {
        if (complete(client, body(k))["choices"] == alone[k]) ++same;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(same, 18);
}

TEST(Server, FreesTheLanesOfAClientThatGoesAway) {
  const Running running;
  httplib::Client client = running.client();
  httplib::Client watcher = running.client();
  const std::string body =
      R"({"prompt": "go on", "n": 2, "max_tokens": 3000, "ignore_eos": true, "stream": true})";
  httplib::Request request;
  request.method = "POST";
  request.path = "/v1/completions";
  request.body = body;
  request.content_receiver = [](const char*, size_t, uint64_t, uint64_t) { return false; };
  EXPECT_FALSE(client.send(request));
  for (int i = 0; i < 200 && metric(watcher, "lanes_live") != 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(metric(watcher, "lanes_live"), 0);
  EXPECT_EQ(metric(watcher, "kv_cells_used"), 0);
}

TEST(Server, CountsTheWordsOfClientsAsItsOwnBudget) {
  const Running running;
  httplib::Client client = running.client();
  const Json reply = complete(client, R"({"prompt": "x", "n": 2, "max_tokens": 5, "ignore_eos": true,
                                          "lanes": {"coupling": "lanerope", "tag": "<a rather long tag {k}>"}})");
  EXPECT_EQ(reply["usage"]["completion_tokens"], 10);
  EXPECT_EQ(reply["choices"].size(), 2U);
  EXPECT_EQ(reply["choices"][0]["finish_reason"], "length");
}

TEST(Server, RefusesNewGroupsAndFinishesTheOldOnesWhileItDrains) {
  Running running;
  httplib::Client client = running.client();
  std::thread patient([&] {
    httplib::Client other = running.client();
    complete(other, R"({"prompt": "x", "n": 2, "max_tokens": 800, "ignore_eos": true})");
  });
  while (metric(client, "requests_processing") < 1) std::this_thread::yield();
  EXPECT_TRUE(running.server().drain(std::chrono::seconds(30)));
  patient.join();
  const auto late = client.Post("/v1/completions", R"({"prompt": "x", "max_tokens": 1})", "application/json");
  ASSERT_TRUE(late);
  EXPECT_EQ(late->status, 503);
}

// Of many prompts, a part of which waits for the others to end.
TEST(Server, FinishesARequestThatItHasBegunWithAllItsGroupsWhileItDrains) {
  Running running({.service = {.engine = {.kv_cells = 16384}}});
  httplib::Client client = running.client();
  std::thread patient([&] {
    httplib::Client other = running.client();
    const Json request = {
        {"prompt", std::vector<std::string>(40, "x")}, {"max_tokens", 150}, {"ignore_eos", true}};
    EXPECT_EQ(complete(other, request.dump())["choices"].size(), 40U);
  });
  while (metric(client, "requests_processing") < 1) std::this_thread::yield();
  EXPECT_TRUE(running.server().drain(std::chrono::seconds(60)));
  patient.join();
  EXPECT_EQ(metric(client, "groups_total"), 40);
}

TEST(Server, HoldsAFinishedGroupUntilItsCellsAreNeeded) {
  const Running running({.service = {.engine = {.kv_cells = 512}}});
  httplib::Client client = running.client();
  const auto held =
      client.Post("/v1/groups",
                  R"({"prompt": "x", "n": 2, "max_tokens": 60, "ignore_eos": true, "lanes": {"hold": true}})",
                  "application/json");
  ASSERT_TRUE(held);
  const std::string id = held->body.substr(held->body.find("grp_"), 36);
  const std::string probe = "/v1/groups/" + id + "/lanes/1/attention?step=20";
  EXPECT_EQ(client.Get(probe)->status, 200);
  EXPECT_EQ(metric(client, "groups_held"), 1);
  complete(client, R"({"prompt": "y", "n": 1, "max_tokens": 400, "ignore_eos": true})");
  EXPECT_EQ(client.Get(probe)->status, 404) << "another group needed its cells";
  EXPECT_EQ(metric(client, "kv_cells_used"), 0);
}

TEST(Server, HasAsManySlotsAsLanesOfItsBudgetRunAtOnce) {
  ServerOptions options{.service = {.engine = {.kv_cells = 384}}};
  options.defaults.budget = 50;
  const Running running(options);
  httplib::Client client = running.client();
  const auto slots = Json::parse(client.Get("/props")->body)["total_slots"].get<int>();
  EXPECT_EQ(slots, 5) << "six pages of 64 cells, one of them for the prompt; not the cells";
  const auto lanes = [&](int n) {
    return client
        .Post("/v1/completions",
              R"({"prompt": "x", "max_tokens": 50, "ignore_eos": true, "n": )" + std::to_string(n) + "}",
              "application/json")
        ->status;
  };
  EXPECT_EQ(lanes(slots), 200);
  EXPECT_EQ(lanes(slots + 1), 400);
}

TEST(Server, NamesAVerifierThatHangs) {
  ServerOptions options;
  options.defaults.verifier = "sleep 60";
  options.defaults.verifier_timeout = 0.2;
  const Running running(options);
  httplib::Client client = running.client();
  const Json reply =
      complete(client, R"({"prompt": "x", "n": 2, "max_tokens": 3, "lanes": {"select": "verifier"}})");
  EXPECT_NE(reply["lanes"]["note"].get<std::string>().find("verifier"), std::string::npos);
  const Running without;
  const auto refused = without.client().Post(
      "/v1/completions", R"({"prompt": "x", "lanes": {"select": "verifier"}})", "application/json");
  EXPECT_EQ(refused->status, 400);
}

TEST(Tokenizer, RefusesWhatItWouldLeaveAside) {
  const Running running;
  const auto refused = [&](const char* path, const char* body) {
    const Reply reply = post(running, path, body);
    return reply.status == 400 ? reply.json["error"]["param"].get<std::string>() : "accepted";
  };
  EXPECT_EQ(refused("/tokenize", R"({"prompt": "x", "add_special": false})"), "add_special");
  EXPECT_EQ(refused("/tokenize", R"({"content": "x", "add_special_tokens": false})"), "add_special_tokens");
  EXPECT_EQ(refused("/tokenize", R"({"prompt": "x", "content": "y"})"), "content");
  EXPECT_EQ(refused("/tokenize", R"({"prompt": "x", "return_token_strs": true})"), "return_token_strs");
  EXPECT_EQ(refused("/tokenize", R"({"prompt": "x", "model": "m", "return_token_strs": false})"), "accepted");
  EXPECT_EQ(refused("/tokenize", R"({"content": "x", "add_special": true, "with_pieces": true})"),
            "accepted");
  EXPECT_EQ(refused("/detokenize", R"({"tokens": [72], "token": [73]})"), "token");
}

TEST(Groups, RefuseCommandsThatTheyWouldLeaveAside) {
  const Running running;
  const auto reply = [&](const std::string& path, const char* body) {
    const Reply made = post(running, "/v1/groups/nobody/lanes" + path, body);
    return std::to_string(made.status) + " " + made.json["error"]["param"].dump();
  };
  EXPECT_EQ(reply("", R"({"parnet": 2})"), R"(400 "parnet")");
  EXPECT_EQ(reply("", R"({"fork_step": 40})"), R"(400 "fork_step")") << "of which lane?";
  EXPECT_EQ(reply("", R"({"parent": 2, "fork_step": 40, "text": "x"})"), "404 null") << "no such group";
  EXPECT_EQ(reply("", R"({"parent": -1, "fork_step": -1})"), "404 null");
  EXPECT_EQ(reply("/0/text", R"({"text": "x", "lane": 1})"), R"(400 "lane")");
}

// A path comes decoded, and a line of the log is one request's whatever is in it.
TEST(Log, HasALineForEachRequestThatNobodyElseWrites) {
  std::mutex mutex;
  std::vector<std::string> lines;
  ServerOptions options;
  options.log.prompts = true;
  options.log.write = [&](std::string_view line) {
    const std::lock_guard lock(mutex);
    lines.emplace_back(line);
  };
  {
    const Running running(options);
    EXPECT_EQ(running.client().Get("/a%0A%1B%5B2J%7F%C2%9B%9B%20200%20%C3%A9")->status, 404);
    EXPECT_EQ(post(running, "/v1/completions", "\x1b[31m\n{").status, 400);
  }
  EXPECT_THAT(lines,
              testing::UnorderedElementsAre(R"(127.0.0.1 GET /a\x0a\x1b[2J\x7f\xc2\x9b\x9b\x20200\x20é 404)",
                                            R"(127.0.0.1 POST /v1/completions 400 \x1b[31m\x0a{)"));
}

}  // namespace
}  // namespace lanerope::server
