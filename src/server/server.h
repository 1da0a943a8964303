// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lanerope/engine.h"
#include "lanerope/model.h"
#include "lanerope/service.h"
#include "server/access.h"
#include "server/http_transport.h"
#include "server/request_log.h"
#include "server/served_models.h"
#include "server/to_request.h"
#include "server/tracing.h"

namespace lanerope::server {

// A prompt that the page offers, because the model at hand is good at it.
struct Example {
  std::string name = {};  // on its button
  std::string prompt = {};
  int32_t budget = 0;  // tokens a lane
};

struct ServerOptions {
  std::string host = "127.0.0.1";
  int port = 8080;  // 0: any free one
  TransportOptions transport = {};
  AccessRules access = {};
  ServiceOptions service = {.engine = {.kv_cells = 8192, .batch_rows = 128}};
  RequestDefaults defaults = server_defaults();
  std::string model_id = {};  // as clients see it; empty: its file's name without the ending
  Presets presets = {};
  LogOptions log = {};  // a line a request
  TracingOptions tracing = {};
};

struct ServerContext;  // src/server/server_context.h

// An OpenAI-compatible HTTP server over one engine, and the page that shows its lanes. docs/server.md
// describes it.
//
//   Server server(options);
//   server.bind();
//   std::thread http([&] { server.listen(); });
//   server.attach(Model::load(...));   // until then requests are told that the model is loading
//   ...
//   server.drain(std::chrono::seconds(30));
//   server.stop();
class Server {
 public:
  explicit Server(const ServerOptions& options);  // throws SystemError where TLS cannot be set up
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  int bind();     // returns the port; throws SystemError
  void listen();  // once; returns after stop()
  // `examples` are for the page. Throws InvalidRequest where the model refuses what a preset asks for,
  // DoesNotFit if the KV cells cannot be allocated.
  void attach(std::shared_ptr<const Model> model, std::vector<Example> examples = {});

  // Takes no new groups and waits for those that run; what still runs at the deadline is cancelled. Whether
  // none did.
  bool drain(std::chrono::milliseconds deadline);
  void stop();          // also before listen() has begun
  bool failed() const;  // the engine has stopped working

  // What requests are told, with status 503, while there is no model to answer them.
  void set_reason(const std::string& sentence);
  // As Service::abandon: ends all groups with the sentence, and requests are told it from now on.
  void abandon(const std::string& sentence);

 private:
  std::unique_ptr<ServerContext> context_;
  std::unique_ptr<httplib::Server> http_;
  std::atomic<bool> listening_ = false;
  std::atomic<bool> listened_ = false;
  std::atomic<bool> stopping_ = false;
};

}  // namespace lanerope::server
