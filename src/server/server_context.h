// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <ctime>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "lanerope/service.h"
#include "server/metrics.h"
#include "server/server.h"

namespace lanerope::server {

// What all routes share. `model`, `service` and `examples` are set once, before `ready`, and never change
// after.
struct ServerContext {
  ServerOptions options = {};
  Metrics metrics = {};
  std::shared_ptr<const Model> model = {};
  std::unique_ptr<Service> service = {};
  std::vector<Example> examples = {};
  std::atomic<bool> ready = false;
  std::atomic<bool> draining = false;
  std::time_t started = 0;

  // The defaults in force: /lora-adapters changes the scales.
  RequestDefaults defaults() const {
    const std::lock_guard lock(scales_mutex);
    RequestDefaults result = options.defaults;
    result.adapter_scales = adapter_scales;
    return result;
  }
  std::string model_id() const {
    if (!options.model_id.empty()) return options.model_id;
    return model->info().name.empty() ? "lanerope" : model->info().name;
  }

  mutable std::mutex scales_mutex;
  std::vector<float> adapter_scales;  // guarded by it; empty: as they were loaded
};

// One file a family: routes_openai.cpp, routes_groups.cpp, routes_extras.cpp, routes_page.cpp.
void add_openai_routes(httplib::Server& http, ServerContext& context);
// The handler of a route, with the context that it works on.
using Action = void (*)(ServerContext&, const httplib::Request&, httplib::Response&);
inline httplib::Server::Handler bound(ServerContext& context, Action action) {
  return [&context, action](const httplib::Request& request, httplib::Response& response) {
    action(context, request, response);
  };
}

void add_group_routes(httplib::Server& http, ServerContext& context);
void add_extra_routes(httplib::Server& http, ServerContext& context);
void add_page_routes(httplib::Server& http);

}  // namespace lanerope::server
