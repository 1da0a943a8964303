// SPDX-License-Identifier: Apache-2.0
#include <charconv>

#include "server/answer.h"
#include "server/json_fields.h"
#include "server/lanes_reply.h"
#include "server/reply.h"
#include "server/request_body.h"
#include "server/server_context.h"
#include "server/to_request.h"

namespace lanerope::server {

namespace {

int32_t number_in(const std::string& text, const char* what) {
  int32_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || number < 0) {
    throw ApiError(400, std::string(what) + " must be a whole number from 0");
  }
  return number;
}

int32_t lane_of(const httplib::Request& request) {
  return number_in(request.path_params.at("lane"), "the lane");
}

using Wanted = Service::Wanted;

const std::string& group_of(const httplib::Request& request) {
  return request.path_params.at("id");
}

void start(ServerContext& context, const httplib::Request& request, httplib::Response& response) {
  const ApiRequest api =
      read_api_request(context, ApiEndpoint::group, parse_body(request.body), {request, response});
  const std::shared_ptr<const ResolvedRequest> resolved =
      resolve_api(api, *context.model, context.defaults());
  auto groups = std::make_shared<GroupSet>(*context.service, std::vector{resolved}, context.door.enter());
  GroupStream* stream = &groups->stream(0);
  const Json created = {{"kind", "group_created"},
                        {"id", stream->public_id()},
                        {"lanes", resolved->n_lanes()},
                        {"reserve", resolved->reserved_lanes},
                        {"budget", resolved->budget},
                        {"prompt_tokens", resolved->prompt.size()},
                        {"coupling", coupling_json(resolved->coupling)},
                        {"tag", resolved->tag},
                        {"seed", resolved->seed}};
  response.set_header("Location", "/v1/groups/" + stream->public_id());
  response.set_header("Lanerope-Group", stream->public_id());
  stream_events(response, {.groups = std::move(groups),
                           .write =
                               [stream, resolved](const GroupSet::Happening& happened) {
                                 const Event& event = happened.event;
                                 std::string text;
                                 const auto attention =
                                     event.kind == EventKind::group_finished ? stream->attention() : nullptr;
                                 if (attention)
                                   text += sse("attention", attention_json(summarise(*attention)));
                                 return text + sse(name(event.kind), event_json(event, *resolved));
                               },
                           .opening = sse("group_created", created)});
}

void add_lane(ServerContext& context, const httplib::Request& request, httplib::Response& response) {
  const Json body = parse_body(request.body);
  const JsonFields fields(body);
  fields.only({"parent", "fork_step", "text"});
  const SpawnOptions options{
      .parent = static_cast<int32_t>(fields.integer("parent", {.least = -1, .most = 1 << 20}).value_or(-1)),
      .fork_step =
          static_cast<int32_t>(fields.integer("fork_step", {.least = -1, .most = 1 << 24}).value_or(-1)),
      .text = fields.text("text").value_or("")};
  if (options.parent < 0 && options.fork_step >= 0)
    fields.refuse("fork_step", "is the step of a parent; name that lane with parent, or leave it out");
  const int32_t lane = context.service->call_group(
      group_of(request), Wanted::running,
      [&](Engine& engine, GroupId group) { return engine.spawn(group, options); });
  send_json(response, {{"id", group_of(request)}, {"lane", lane}}, 201);
}

void push_text(ServerContext& context, const httplib::Request& request, httplib::Response& response) {
  const Json body = parse_body(request.body);
  const JsonFields fields(body);
  fields.only({"text"});
  const std::optional<std::string> text = fields.text("text");
  if (!text || text->empty()) throw ApiError(400, "text is missing", "text");
  const int32_t lane = lane_of(request);
  context.service->call_group(group_of(request), Wanted::running,
                              [&](Engine& engine, GroupId group) { engine.push_text(group, lane, *text); });
  send_json(response, {{"id", group_of(request)}, {"lane", lane}});
}

void retire(ServerContext& context, const httplib::Request& request, httplib::Response& response) {
  const int32_t lane = lane_of(request);
  context.service->call_group(group_of(request), Wanted::running,
                              [&](Engine& engine, GroupId group) { engine.retire(group, lane); });
  send_json(response, {{"id", group_of(request)}, {"lane", lane}, {"finish", "retired"}});
}

void remove(ServerContext& context, const httplib::Request& request, httplib::Response& response) {
  context.service->cancel(context.service->find(group_of(request)));
  send_json(response, {{"id", group_of(request)}, {"finish", "cancelled"}});
}

// Averages the weights of [cells, n_head, n_layer] over the heads that are asked for; -1 means all.
struct Heads {
  int32_t layer = -1;
  int32_t head = -1;
};
std::vector<float> mean_weights(const AttentionProbe& probe, Heads wanted) {
  size_t cells = 0;
  for (const auto& part : probe.parts) cells += static_cast<size_t>(part.n);
  std::vector<float> mean(cells, 0.0F);
  int32_t count = 0;
  for (int32_t layer = 0; layer < probe.n_layer; ++layer) {
    if (wanted.layer >= 0 && layer != wanted.layer) continue;
    for (int32_t head = 0; head < probe.n_head; ++head) {
      if (wanted.head >= 0 && head != wanted.head) continue;
      const size_t row =
          static_cast<size_t>(layer) * static_cast<size_t>(probe.n_head) + static_cast<size_t>(head);
      for (size_t cell = 0; cell < cells; ++cell) mean[cell] += probe.weights[row * cells + cell];
      ++count;
    }
  }
  for (float& weight : mean) weight /= static_cast<float>(std::max(count, 1));
  return mean;
}

Heads heads_of(const httplib::Request& request, const ModelInfo& info) {
  Heads heads;
  if (request.has_param("layer")) heads.layer = number_in(request.get_param_value("layer"), "layer");
  if (request.has_param("head")) heads.head = number_in(request.get_param_value("head"), "head");
  if (heads.layer >= info.n_layer) {
    throw ApiError(400, "the model has layers 0 to " + std::to_string(info.n_layer - 1), "layer");
  }
  if (heads.head >= info.n_head) {
    throw ApiError(400, "the model has heads 0 to " + std::to_string(info.n_head - 1), "head");
  }
  return heads;
}

void probe(ServerContext& context, const httplib::Request& request, httplib::Response& response) {
  const int32_t lane = lane_of(request);
  if (!request.has_param("step"))
    throw ApiError(400, "step is missing: ?step=S says which token of the lane", "step");
  const int32_t step = number_in(request.get_param_value("step"), "step");
  const Heads heads = heads_of(request, context.model->info());
  const AttentionProbe result = context.service->call_group(
      group_of(request), Wanted::readable,
      [&](Engine& engine, GroupId group) { return engine.probe(group, lane, step); });
  const std::vector<float> weights = mean_weights(result, heads);
  const bool sums_only = request.get_param_value("detail") == "sums";
  Json parts = Json::array();
  size_t at = 0;
  for (const auto& part : result.parts) {
    Json values = Json::array();
    float sum = 0;
    for (int32_t i = 0; i < part.n; ++i) {
      sum += weights[at];
      if (!sums_only) values.push_back(rounded(weights[at]));
      ++at;
    }
    parts.push_back(
        {{"lane", part.lane}, {"first_step", part.first_step}, {"n", part.n}, {"sum", rounded(sum)}});
    if (!sums_only) parts.back()["weights"] = std::move(values);
  }
  Json json = {{"lane", lane}, {"step", step}, {"n_layer", result.n_layer}, {"n_head", result.n_head}};
  json["layer"] = heads.layer < 0 ? Json(nullptr) : Json(heads.layer);
  json["head"] = heads.head < 0 ? Json(nullptr) : Json(heads.head);
  json["parts"] = std::move(parts);
  send_json(response, json);
}

}  // namespace

void add_group_routes(httplib::Server& http, ServerContext& context) {
  const size_t most = context.options.transport.most_body;
  add_post(http, "/v1/groups", most, bound(context, start));
  http.Delete("/v1/groups/:id", bound(context, remove));
  add_post(http, "/v1/groups/:id/lanes", most, bound(context, add_lane));
  http.Delete("/v1/groups/:id/lanes/:lane", bound(context, retire));
  add_post(http, "/v1/groups/:id/lanes/:lane/text", most, bound(context, push_text));
  http.Get("/v1/groups/:id/lanes/:lane/attention", bound(context, probe));
}

}  // namespace lanerope::server
