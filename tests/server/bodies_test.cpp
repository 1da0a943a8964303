// SPDX-License-Identifier: Apache-2.0
// No body, however it comes, is more than the server bears; and clients that leave take their lanes with
// them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <chrono>
#include <thread>

#include "tests/server/running_server.h"

namespace lanerope::server {
namespace {

using ::testing::HasSubstr;

std::string gzipped(const std::string& text) {
  std::string packed(compressBound(text.size()) + 64, '\0');
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

TEST(Bodies, AreBoundAsTheyAreUnpacked) {
  const Running running({.transport = {.most_body = 1 << 20}});
  const std::string bomb = gzipped(std::string(100 << 20, ' '));
  ASSERT_LT(bomb.size(), 200000U);
  for (const char* path : {"/v1/completions", "/v1/groups", "/tokenize", "/nowhere"}) {
    const Reply reply = post(running, path, bomb, "application/json", {{"Content-Encoding", "gzip"}});
    EXPECT_EQ(reply.status, 413) << path;
    EXPECT_THAT(reply.json["error"]["message"].get<std::string>(), HasSubstr("--max-body"));
  }
  httplib::Client client = running.client();
  EXPECT_EQ(client.Put("/v1/completions", {{"Content-Encoding", "gzip"}}, bomb, "application/json")->status,
            415);
  EXPECT_EQ(client.Delete("/v1/groups/x", {{"Content-Encoding", "gzip"}}, bomb, "application/json")->status,
            415);
  const Reply good = post(running, "/v1/completions", gzipped(R"({"prompt": "x", "max_tokens": 1})"),
                          "application/json", {{"Content-Encoding", "gzip"}});
  EXPECT_EQ(good.status, 200) << good.body;
  EXPECT_EQ(post(running, "/v1/completions", std::string(2 << 20, ' ')).status, 413) << "plain ones as ever";
}

TEST(Bodies, MayBeCalledForms) {
  const Running running({.service = {.engine = {.kv_cells = 16384}}});
  const std::string body = R"({"prompt": [)" + [] {
    std::string ids = "1";
    for (int i = 0; i < 4000; ++i) ids += ", 10";
    return ids;
  }() + R"(], "max_tokens": 1})";
  ASSERT_GT(body.size(), 8192U);
  const Reply reply = post(running, "/tokenize", R"({"content": ")" + std::string(20000, 'a') + "\"}",
                           "application/x-www-form-urlencoded");
  EXPECT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(post(running, "/v1/completions", R"({"prompt": "x", "max_tokens": 1})",
                 "application/x-www-form-urlencoded")
                .status,
            200);
  EXPECT_EQ(post(running, "/v1/completions", "x", "multipart/form-data; boundary=b").status, 415);
}

// A connection that is closed with a body still under way is reset, and what was answered is lost.
TEST(Bodies, ThatAreRefusedUnreadLeaveTheirClientsTheAnswer) {
  ServerOptions options;
  options.access.keys = {"secret"};
  const Running running(options);
  const std::string body = R"({"prompt": ")" + std::string(6 << 20, 'a') + "\"}";
  for (int i = 0; i < 3; ++i) {
    const Reply reply = post(running, "/v1/completions", body);
    ASSERT_EQ(reply.status, 401);
    EXPECT_THAT(reply.body, HasSubstr("the API key is missing"));
  }
}

TEST(Clients, ThatLeaveWithoutHavingStreamedEndTheirLanesSoon) {
  const Running running({.service = {.engine = {.kv_cells = 65536}}});
  httplib::Client watcher = running.client();
  std::thread leaver([&] {
    httplib::Client client = running.client();
    client.set_read_timeout(std::chrono::milliseconds(300));
    EXPECT_FALSE(client.Post("/v1/completions",
                             R"({"prompt": ["a", "b"], "n": 2, "max_tokens": 3900, "ignore_eos": true})",
                             "application/json"));
  });
  while (metric(watcher, "lanes_live") < 4) std::this_thread::yield();
  leaver.join();
  for (int i = 0; i < 500 && metric(watcher, "lanes_live") != 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(metric(watcher, "lanes_live"), 0);
  EXPECT_EQ(metric(watcher, "groups_total"), 2) << "cut off, not finished by themselves";
  EXPECT_LT(metric(watcher, "tokens_predicted_total"), 4 * 3900);
}

}  // namespace
}  // namespace lanerope::server
