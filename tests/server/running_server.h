// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "server/server.h"
#include "tests/support/temporary_directory.h"
#include "tools/random_model.h"

namespace lanerope::server {

inline std::shared_ptr<const Model> tiny_model() {
  static const std::shared_ptr<const Model> model = [] {
    const support::TemporaryDirectory directory;
    return Model::load(
        {.file = tools::write_random_model(tools::preset_model("tiny"), directory.file("tiny.gguf")),
         .threads = 1});
  }();
  return model;
}

// A server on a free port that is stopped at the end.
class Running {
 public:
  explicit Running(ServerOptions options = {}, bool attach = true,
                   const std::shared_ptr<const Model>& model = tiny_model())
      : server_(with_free_port(std::move(options))) {
    port_ = server_.bind();
    http_ = std::thread([this] { server_.listen(); });
    if (attach) server_.attach(model);
  }
  ~Running() {
    server_.drain(std::chrono::seconds(0));
    server_.stop();
    http_.join();
  }
  Server& server() { return server_; }
  httplib::Client client() const {
    httplib::Client client("127.0.0.1", port_);
    client.set_read_timeout(60);
    return client;
  }

 private:
  static ServerOptions with_free_port(ServerOptions options) {
    options.port = 0;
    return options;
  }
  Server server_;
  int port_ = 0;
  std::thread http_;
};

inline Json complete(httplib::Client& client, const std::string& body) {
  const auto reply = client.Post("/v1/completions", body, "application/json");
  EXPECT_TRUE(reply && reply->status == 200) << (reply ? reply->body : "no reply");
  return reply && reply->status == 200 ? Json::parse(reply->body) : Json();
}

inline double metric(httplib::Client& client, const std::string& name) {
  const auto reply = client.Get("/metrics");
  const size_t at = reply ? reply->body.find("\nlanerope:" + name + " ") : std::string::npos;
  return at == std::string::npos ? -1 : std::stod(reply->body.substr(at + name.size() + 11));
}

struct Reply {
  int status = 0;
  Json json;
  httplib::Headers headers;
  std::string body;
};

inline Reply post(const Running& running, const std::string& path, const std::string& body,
                  const std::string& type = "application/json", const httplib::Headers& headers = {}) {
  httplib::Client client = running.client();
  const auto reply = client.Post(path, headers, body, type);
  if (!reply) return {};
  return {.status = reply->status,
          .json = Json::parse(reply->body, nullptr, false),
          .headers = reply->headers,
          .body = reply->body};
}

// The data of a stream of events.
inline std::vector<Json> events_of(const std::string& body) {
  std::vector<Json> events;
  for (size_t at = body.find("data: {"); at != std::string::npos; at = body.find("data: {", at + 1))
    events.push_back(Json::parse(body.substr(at + 6, body.find('\n', at) - at - 6)));
  return events;
}

}  // namespace lanerope::server
