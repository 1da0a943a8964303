// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>
#include <ctime>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "lanerope/page.h"
#include "lanerope/service.h"
#include "server/door.h"
#include "server/metrics.h"
#include "server/served_models.h"
#include "server/server.h"

namespace lanerope::server {

// What all routes share. `model`, `service` and `examples` are set once, before `ready`, and never change
// after; `ready` goes once more where the engine is abandoned.
struct ServerContext {
  ServerOptions options = {};
  Metrics metrics = {};
  std::shared_ptr<const Model> model = {};
  std::unique_ptr<ServiceObserver> tracing = {};  // hands on to `metrics`; null: not asked for
  std::unique_ptr<Service> service = {};
  std::vector<Example> examples = {};
  std::atomic<bool> ready = false;
  Door door = {};  // closed while the server drains
  std::time_t started = 0;

  ServiceObserver* observer() { return tracing != nullptr ? tracing.get() : &metrics; }
  // The defaults in force: /lora-adapters changes the scales.
  RequestDefaults defaults() const {
    const std::lock_guard lock(scales_mutex);
    RequestDefaults result = options.defaults;
    result.adapter_scales = adapter_scales;
    return result;
  }
  std::string model_id() const {
    return options.model_id.empty() ? model_name_of(model->info().file) : options.model_id;
  }
  // As llama-server counts them: requests of one lane that run at once, where each writes all of the default
  // budget. They share the pages with a prompt, which takes one at least.
  int32_t total_slots() const {
    const int32_t pages = pages_of(service->state().cells) - 1;  // without the prompt's
    return std::max(1, pages / pages_of(options.defaults.budget));
  }
  std::vector<ServedModel> models() const {
    return served_models(model->info(), model_id(), options.presets);
  }
  // What a response calls the model that a request named: one of models(), or the base.
  std::string id_for(std::string_view name) const {
    for (const ServedModel& one : models()) {
      if (one.id == name) return one.id;
    }
    return model_id();
  }

  // Why there is no model to answer; as llama-server has it while it loads one.
  std::string reason() const {
    const std::lock_guard lock(reason_mutex);
    return reason_text;
  }

  mutable std::mutex reason_mutex;
  std::string reason_text = "Loading model";  // guarded by it
  mutable std::mutex scales_mutex;
  std::vector<float> adapter_scales;  // guarded by it; empty: as they were loaded
};

// One file a family: routes_openai.cpp, routes_responses.cpp, routes_groups.cpp, routes_llama.cpp,
// routes_extras.cpp, routes_page.cpp.
void add_openai_routes(httplib::Server& http, ServerContext& context);
// The handler of a route, with the context that it works on.
using Action = void (*)(ServerContext&, const httplib::Request&, httplib::Response&);
inline httplib::Server::Handler bound(ServerContext& context, Action action) {
  return [&context, action](const httplib::Request& request, httplib::Response& response) {
    action(context, request, response);
  };
}

void add_group_routes(httplib::Server& http, ServerContext& context);
void add_responses_routes(httplib::Server& http, ServerContext& context);
void add_llama_routes(httplib::Server& http, ServerContext& context);
void add_extra_routes(httplib::Server& http, ServerContext& context);
void add_page_routes(httplib::Server& http);

}  // namespace lanerope::server
