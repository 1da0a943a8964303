// SPDX-License-Identifier: Apache-2.0
#include "server/server.h"

#include <thread>

#include "server/reply.h"
#include "server/request_body.h"
#include "server/server_context.h"

namespace lanerope::server {

namespace {

using Handled = httplib::Server::HandlerResponse;

// What a client may have without a key, and while the model is loading.
bool is_public(const httplib::Request& request) {
  return request.path == "/" || request.path == "/health" || request.path == "/v1/health" ||
         request.path == "/openapi.json" || request.path == "/favicon.svg" ||
         request.path.starts_with("/assets/");
}

void share_with_origin(const httplib::Request& request, httplib::Response& response) {
  constexpr auto asked_headers = "Access-Control-Request-Headers";
  response.set_header("Access-Control-Allow-Origin", request.get_header_value("Origin"));
  response.set_header("Access-Control-Expose-Headers",
                      "X-Request-Id, Retry-After, Lanerope-Group, Lanerope-Unknown-Fields");
  response.set_header("Vary", "Origin");
  if (request.method != "OPTIONS") return;
  response.set_header("Vary", asked_headers);
  response.set_header("Access-Control-Allow-Methods", "GET, POST, DELETE");
  // Clients send what they like: OpenAI's tells of itself in X-Stainless-*.
  const std::string headers = allowed_headers(request.get_header_value(asked_headers));
  if (!headers.empty()) response.set_header("Access-Control-Allow-Headers", headers);
  response.set_header("Access-Control-Max-Age", "600");
}

// What cpp-httplib would read by itself, with no bound on what it unpacks to, and forms in several parts.
bool body_can_be_read(const httplib::Request& request) {
  const bool packed = request.has_header("Content-Encoding") && request.method != "POST";
  return !packed && !request.get_header_value("Content-Type").starts_with("multipart/");
}

Handled admit(const ServerContext& context, const httplib::Request& request, httplib::Response& response) {
  const AccessRules& rules = context.options.access;
  const Credentials credentials = credentials_of(request);
  begin_request(request, response);
  response.set_header("X-Content-Type-Options", "nosniff");
  const auto refuse = [&](const ApiError& error) {
    send_error(response, describe_error(error));
    close_after_reply(response);
    return Handled::Handled;
  };
  if (!origin_allowed(rules, credentials)) {
    return refuse(ApiError(403, "pages of this origin may not use this server; allow them with --cors"));
  }
  if (!credentials.origin.empty() && shares_with(rules, credentials.origin)) {
    share_with_origin(request, response);
    if (request.method == "OPTIONS") {
      response.status = 204;
      return Handled::Handled;
    }
  }
  if (!body_can_be_read(request)) {
    return refuse(ApiError(415, "the body must be JSON, and only that of a POST may be compressed"));
  }
  if (is_public(request)) return Handled::Unhandled;
  if (!key_matches(rules, credentials)) {
    response.set_header("WWW-Authenticate", "Bearer");
    return refuse(ApiError(401, "the API key is missing or wrong; send it as \"Authorization: Bearer KEY\""));
  }
  if (!context.ready) return refuse(ApiError(503, context.reason()));
  return Handled::Unhandled;
}

void explain(const httplib::Request& request, httplib::Response& response) {
  if (request_id_of(response).empty()) begin_request(request, response);  // refused before admit() saw it
  if (!response.body.empty()) return;
  if (response.status != 404) close_after_reply(response);  // what it could not read is still on its way
  const auto say = [&](int status, const std::string& text) {
    send_error(response, describe_error(ApiError(status, text)));
  };
  switch (response.status) {
    case 404:
      return say(404, "there is nothing at " + request.method + " " + request.path.substr(0, 100));
    case 413:
      return say(413, "the body is larger than the server allows; see --max-body");
    case 414:
      return say(414, "the address is too long");
    case 416:
      return say(416, "ranges are not served");
    case 431:
      return say(431, "the headers are too large");
    default:
      return say(response.status, "the request is not one that this server understands");
  }
}

void nothing_here(const httplib::Request&, httplib::Response& response) {
  response.status = 404;
}

}  // namespace

Server::Server(const ServerOptions& options)
    : context_(std::make_unique<ServerContext>()), http_(make_http_server(options.transport)) {
  ServerContext& context = *context_;
  context.options = options;
  context.options.defaults.most_cells = options.service.engine.kv_cells;
  context.started = std::time(nullptr);
  http_->set_pre_routing_handler([&context](const httplib::Request& request, httplib::Response& response) {
    return admit(context, request, response);
  });
  http_->set_exception_handler(
      [](const httplib::Request&, httplib::Response& response, std::exception_ptr error) {
        send_error(response, describe_error(std::move(error)));
      });
  http_->set_error_handler(httplib::Server::Handler(explain));
  http_->set_logger([&context](const httplib::Request& request, const httplib::Response& response) {
    log_request(context.options.log, request, response);
  });
  add_page_routes(*http_);
  add_openai_routes(*http_, context);
  add_group_routes(*http_, context);
  add_responses_routes(*http_, context);
  add_llama_routes(*http_, context);
  add_extra_routes(*http_, context);
  // The bodies of other POSTs are bound, too.
  add_post(*http_, ".*", options.transport.most_body, nothing_here);
}

Server::~Server() = default;

int Server::bind() {
  return bind_http_server(*http_, context_->options.host, context_->options.port);
}

void Server::listen() {
  listening_ = true;
  if (!stopping_) http_->listen_after_bind();
  listened_ = true;
}

void Server::attach(std::shared_ptr<const Model> model, std::vector<Example> examples) {
  check_presets(context_->options.presets, *model, context_->defaults());
  context_->model = std::move(model);
  context_->examples = std::move(examples);
  if (TracingOptions tracing = context_->options.tracing; !tracing.endpoint.empty()) {
    tracing.model = context_->model_id();
    context_->tracing = std::make_unique<Tracing>(tracing, context_->metrics);
  }
  context_->service =
      std::make_unique<Service>(context_->model, context_->options.service, context_->observer());
  context_->ready = true;
}

bool Server::drain(std::chrono::milliseconds deadline) {
  context_->door.close();
  if (!context_->ready) return true;
  const auto end = std::chrono::steady_clock::now() + deadline;
  // In this order: who gives its pass back has its last group in the service by then.
  const auto finished = [this] { return context_->door.empty() && context_->service->idle(); };
  bool all = finished();
  while (!all && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    all = finished();
  }
  context_->service->shut_down();
  return all;
}

// cpp-httplib's stop() does nothing to a server that is only about to run.
void Server::stop() {
  stopping_ = true;
  while (listening_ && !listened_) {
    if (http_->is_running()) http_->stop();
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

bool Server::failed() const {
  return context_->ready && context_->service->failed();
}

void Server::set_reason(const std::string& sentence) {
  const std::lock_guard lock(context_->reason_mutex);
  context_->reason_text = sentence;
}

void Server::abandon(const std::string& sentence) {
  set_reason(sentence);
  if (context_->ready.exchange(false)) context_->service->abandon(sentence);
}

}  // namespace lanerope::server
