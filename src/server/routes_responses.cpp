// SPDX-License-Identifier: Apache-2.0
#include "server/answer.h"
#include "server/json_fields.h"
#include "server/request_body.h"
#include "server/responses_reply.h"
#include "server/responses_request.h"
#include "server/server_context.h"

namespace lanerope::server {

namespace {

void respond(ServerContext& context, const httplib::Request& request, httplib::Response& response) {
  const Json body = parse_body(request.body);
  ApiRequest api = read_api_request(context, ApiEndpoint::chat, chat_body_of(body), {request, response});
  api.lanes.returned = ReturnedLanes::selected;
  answer(context, {.http = request, .api = std::make_shared<const ApiRequest>(std::move(api))}, response,
         [&body](ReplyContext reply) { return std::make_shared<ResponsesReply>(std::move(reply), body); });
}

void forgotten(ServerContext&, const httplib::Request&, httplib::Response&) {
  throw ApiError(404, "this server keeps no responses; send the conversation again as input");
}

}  // namespace

void add_responses_routes(httplib::Server& http, ServerContext& context) {
  add_post(http, "/v1/responses", context.options.transport.most_body, bound(context, respond));
  http.Get("/v1/responses/(.+)", bound(context, forgotten));
  http.Delete("/v1/responses/(.+)", bound(context, forgotten));
}

}  // namespace lanerope::server
