// SPDX-License-Identifier: Apache-2.0
#include "server/completion_writer.h"
#include "server/reply.h"
#include "server/server_context.h"
#include "server/to_request.h"

namespace lanerope::server {

namespace {

void answer_as_stream(httplib::Response& response, std::shared_ptr<GroupLease> lease,
                      std::shared_ptr<CompletionWriter> writer) {
  stream_events(response, {.lease = std::move(lease),
                           .write =
                               [writer](const Event& event) {
                                 std::string text;
                                 for (const Json& chunk : writer->take(event)) text += sse("", chunk);
                                 return text;
                               },
                           .closing = "data: [DONE]\n\n"});
}

void answer_at_once(const httplib::Request& request, httplib::Response& response, GroupLease& lease,
                    CompletionWriter& writer) {
  while (!lease.finished()) {
    const std::optional<Event> event = lease.stream().next(watch_interval);
    if (event) {
      lease.note(*event);
      writer.take(*event);
    } else if (request.is_connection_closed()) {
      response.status = 499;  // nobody reads it; for the log
      return;
    }
  }
  send_json(response, writer.response());
}

void complete(ServerContext& context, ApiEndpoint endpoint, const httplib::Request& request,
              httplib::Response& response) {
  const ApiRequest api = parse_api_request(endpoint, request.body);
  const std::shared_ptr<const ResolvedRequest> resolved =
      resolve_api(api, *context.model, context.defaults());
  auto lease = std::make_shared<GroupLease>(*context.service, context.service->submit(resolved));
  auto writer = std::make_shared<CompletionWriter>(CompletionWriter::Context{.api = api,
                                                                             .request = resolved,
                                                                             .model = context.model,
                                                                             .model_id = context.model_id(),
                                                                             .created = std::time(nullptr)});
  if (api.stream) {
    answer_as_stream(response, std::move(lease), std::move(writer));
  } else {
    answer_at_once(request, response, *lease, *writer);
  }
}

Json model_json(const ServerContext& context) {
  const ModelInfo& info = context.model->info();
  return {{"id", context.model_id()},
          {"object", "model"},
          {"created", context.started},
          {"owned_by", "lanerope"},
          {"meta",
           {{"n_vocab", info.n_vocab},
            {"n_ctx_train", info.trained_context},
            {"n_embd", info.n_embd},
            {"n_params", info.n_parameters},
            {"size", info.weight_bytes}}}};
}

}  // namespace

void add_openai_routes(httplib::Server& http, ServerContext& context) {
  http.Post("/v1/chat/completions", [&context](const httplib::Request& request, httplib::Response& response) {
    complete(context, ApiEndpoint::chat, request, response);
  });
  http.Post("/v1/completions", [&context](const httplib::Request& request, httplib::Response& response) {
    complete(context, ApiEndpoint::completion, request, response);
  });
  http.Get("/v1/models", [&context](const httplib::Request&, httplib::Response& response) {
    send_json(response, {{"object", "list"}, {"data", Json::array({model_json(context)})}});
  });
  http.Get("/v1/models/:id", [&context](const httplib::Request& request, httplib::Response& response) {
    if (request.path_params.at("id") != context.model_id()) throw ApiError(404, "there is no such model");
    send_json(response, model_json(context));
  });
}

}  // namespace lanerope::server
