// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "server/answer.h"
#include "server/completion_reply.h"
#include "server/json_fields.h"
#include "server/reply.h"
#include "server/request_body.h"
#include "server/server_context.h"

namespace lanerope::server {

namespace {

void complete(ServerContext& context, ApiEndpoint endpoint, const httplib::Request& request,
              httplib::Response& response) {
  const auto api = std::make_shared<const ApiRequest>(
      read_api_request(context, endpoint, parse_body(request.body), {request, response}));
  answer(context, {.http = request, .api = api}, response,
         [](ReplyContext reply) { return std::make_shared<CompletionReply>(std::move(reply)); });
}

void complete_chat(ServerContext& context, const httplib::Request& request, httplib::Response& response) {
  complete(context, ApiEndpoint::chat, request, response);
}

void complete_text(ServerContext& context, const httplib::Request& request, httplib::Response& response) {
  complete(context, ApiEndpoint::completion, request, response);
}

void refuse_embeddings(ServerContext&, const httplib::Request&, httplib::Response&) {
  throw ApiError(501,
                 "this server writes text and gives no embeddings; ask a server with an embedding model");
}

Json model_json(const ServerContext& context, const ServedModel& model) {
  const ModelInfo& info = context.model->info();
  return {{"id", model.id},
          {"object", "model"},
          {"created", context.started},
          {"owned_by", "lanerope"},
          {"meta",
           {{"n_vocab", info.n_tokens},
            {"n_ctx_train", info.trained_context},
            {"n_embd", info.n_embd},
            {"n_params", info.n_parameters},
            {"size", info.weight_bytes}}}};
}

void list_models(ServerContext& context, const httplib::Request&, httplib::Response& response) {
  Json data = Json::array();
  for (const ServedModel& model : context.models()) data.push_back(model_json(context, model));
  send_json(response, {{"object", "list"}, {"data", std::move(data)}});
}

// The id may hold slashes, as it came or as %2F.
void get_model(ServerContext& context, const httplib::Request& request, httplib::Response& response) {
  const std::vector<ServedModel> models = context.models();
  const auto found = std::ranges::find(models, request.matches[1].str(), &ServedModel::id);
  if (found == models.end()) throw ApiError(404, "there is no such model; see /v1/models");
  send_json(response, model_json(context, *found));
}

}  // namespace

void add_openai_routes(httplib::Server& http, ServerContext& context) {
  const size_t most = context.options.transport.most_body;
  // llama-server has them without /v1 too.
  for (const std::string root : {"/v1", ""}) {
    add_post(http, root + "/chat/completions", most, bound(context, complete_chat));
    add_post(http, root + "/embeddings", most, bound(context, refuse_embeddings));
    http.Get(root + "/models", bound(context, list_models));
  }
  add_post(http, "/v1/completions", most, bound(context, complete_text));
  http.Get("/v1/models/(.+)", bound(context, get_model));
}

}  // namespace lanerope::server
