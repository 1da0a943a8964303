// SPDX-License-Identifier: Apache-2.0
#include "server/answer.h"

#include <algorithm>

#include "server/field_rules.h"
#include "server/reply.h"
#include "server/request_log.h"
#include "server/to_request.h"

namespace lanerope::server {

namespace {

constexpr size_t most_named_fields = 16;

// A client may call its fields anything; a header holds few characters.
std::string header_text(const std::string& field) {
  std::string text = field.substr(0, 64);
  std::ranges::replace_if(text, [](unsigned char c) { return c <= ' ' || c >= 0x7f || c == ','; }, '?');
  return text;
}

void tell_unknown(ServerContext& context, const std::vector<std::string>& unknown,
                  httplib::Response& response) {
  if (unknown.empty()) return;
  context.metrics.unknown_fields(unknown.size());
  std::string list;
  for (const std::string& field : std::span(unknown).first(std::min(unknown.size(), most_named_fields)))
    list += (list.empty() ? "" : ", ") + header_text(field);
  response.set_header("Lanerope-Unknown-Fields", list);
}

// "base:adapter" switches one adapter on; other names are the client's own business, as elsewhere.
void choose_adapter(const ServerContext& context, ApiRequest& api) {
  const std::vector<ServedModel> models = context.models();
  const auto named = std::ranges::find(models, api.model, &ServedModel::id);
  if (named == models.end()) {
    if (api.model.starts_with(context.model_id() + ":"))
      throw ApiError(404, "there is no adapter of this name; see /v1/models", "model");
    return;
  }
  if (named->adapter < 0) return;
  if (api.lora) {
    throw ApiError(400, "lora and a model that names an adapter both say which are on; send one of them",
                   "lora");
  }
  const float loaded = context.model->info().adapters[static_cast<size_t>(named->adapter)].scale;
  api.lora = std::vector{AdapterScale{.id = named->adapter, .scale = loaded == 0 ? 1.0F : loaded}};
}

std::string client_of(const AccessRules& rules, const httplib::Request& http) {
  const std::optional<size_t> key = matching_key(rules, credentials_of(http));
  return key ? "key " + std::to_string(*key) : http.remote_addr;
}

}  // namespace

ApiRequest read_api_request(ServerContext& context, ApiEndpoint endpoint, const Json& body,
                            Exchange exchange) {
  const auto model = body.find("model");
  const std::string name = model != body.end() && model->is_string() ? model->get<std::string>() : "";
  const auto lanes = body.find("lanes");
  const bool speaks_of_lanes = lanes != body.end() && !lanes->is_null();
  ApiRequest api = parse_api_json(
      endpoint, with_presets(context.options.presets, name, body, endpoint == ApiEndpoint::group));
  api.lanes.present = speaks_of_lanes;
  choose_adapter(context, api);
  tell_unknown(context, api.unknown, exchange.response);
  api.client = client_of(context.options.access, exchange.http);
  api.request_id = request_id_of(exchange.response);
  api.trace_parent = exchange.http.get_header_value("traceparent");
  return api;
}

void answer(ServerContext& context, const Asked& asked, httplib::Response& response,
            const MakeWriter& make_writer) {
  std::vector<std::shared_ptr<const ResolvedRequest>> resolved =
      resolve_groups(*asked.api, *context.model, context.defaults());
  auto groups = std::make_shared<GroupSet>(*context.service, resolved, context.door.enter());
  const std::shared_ptr<ReplyWriter> writer = make_writer({.api = asked.api,
                                                           .groups = std::move(resolved),
                                                           .model = context.model,
                                                           .model_id = context.id_for(asked.api->model),
                                                           .created = std::time(nullptr)});
  if (asked.api->stream) {
    stream_events(response,
                  {.groups = std::move(groups),
                   .write = [writer](const GroupSet::Happening& happened) { return writer->take(happened); },
                   .opening = writer->opening(),
                   .closing = [writer] { return writer->closing(); },
                   .failure = [writer](const ErrorReply& error) { return writer->failure(error); }});
    return;
  }
  const auto take = [&](const GroupSet::Happening& happened) { writer->take(happened); };
  if (await_groups(asked.http, *groups, take)) {
    send_json(response, writer->response());
  } else {
    response.status = 499;  // nobody reads it; for the log
  }
}

}  // namespace lanerope::server
