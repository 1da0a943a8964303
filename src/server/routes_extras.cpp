// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "lanerope/calibration.h"
#include "lanerope/policy_choice.h"
#include "server/answer.h"
#include "server/json_fields.h"
#include "server/reply.h"
#include "server/request_body.h"
#include "server/server_context.h"
#include "server/to_request.h"

namespace lanerope::server {

namespace {

template <typename Enum>
Json names_of(std::initializer_list<Enum> without = {}) {
  Json list = Json::array();
  for (const Named<Enum>& named : names<Enum>()) {
    if (std::ranges::find(without, named.value) == without.end()) list.push_back(named.name);
  }
  return list;
}

// What the fields of `lanes` may be called, for the page and other clients.
Json lane_names() {
  return {{"coupling", names_of<CouplingKind>()},  {"init", names_of({OmegaInit::given})},
          {"visibility", names_of<Visibility>()},  {"topology", names_of<Topology>()},
          {"prompt_lane", names_of<PromptLane>()}, {"select", names_of<SelectionKind>()},
          {"vote_weight", names_of<VoteWeight>()}, {"far_lanes", names_of<FarLanes>()},
          {"sees_from", names_of<SeesFrom>()}};
}

// The built-in policies with their settings: the table of lanerope/policy_choice.h.
Json policies_json() {
  Json list = Json::array();
  for (const PolicyInfo& policy : policies()) {
    Json settings = Json::array();
    for (const PolicySetting& setting : policy.settings)
      settings.push_back({{"name", setting.name}, {"default", setting.usual}, {"help", setting.help}});
    list.push_back({{"name", policy.name}, {"help", policy.help}, {"settings", settings}});
  }
  return list;
}

// The operator's tools for lanes: what lanes.tools may name.
Json lane_tools_json(const LaneTools& tools) {
  Json list = Json::array();
  for (const lanerope::Tool& tool : tools.tools)
    list.push_back({{"name", tool.name}, {"description", tool.description}});
  if (tools.notes)
    list.push_back({{"name", "notes"}, {"description", "<<48/2= goes on with the calculator's 24>>."}});
  return list;
}

void health(ServerContext& context, const httplib::Request&, httplib::Response& response) {
  if (!context.ready) throw ApiError(503, context.reason());
  if (context.door.closed()) throw ApiError(503, "the server is shutting down");
  if (context.service->failed()) throw ApiError(500, "the engine has stopped working; restart the server");
  send_json(response, {{"status", "ok"}});
}

void metrics(ServerContext& context, const httplib::Request&, httplib::Response& response) {
  response.set_content(context.metrics.text(), "text/plain; version=0.0.4");
}

Json adapters_json(const ServerContext& context) {
  const std::vector<float> scales = context.defaults().adapter_scales;
  Json list = Json::array();
  const auto& adapters = context.model->info().adapters;
  for (size_t i = 0; i < adapters.size(); ++i) {
    // Of the path only the file's name: where it lies is nobody's business.
    list.push_back({{"id", i},
                    {"path", adapters[i].file.substr(adapters[i].file.rfind('/') + 1)},
                    {"scale", scales.empty() ? adapters[i].scale : scales[i]},
                    {"lanes", adapters[i].lanes.has_value()}});
  }
  return list;
}

Json examples_json(const std::vector<Example>& examples) {
  Json list = Json::array();
  for (const Example& example : examples)
    list.push_back({{"name", example.name}, {"prompt", example.prompt}, {"budget", example.budget}});
  return list;
}

// Which selections have a calibrated confidence, or nothing.
Json calibration_json(const RequestDefaults& defaults) {
  if (defaults.calibration == nullptr) return nullptr;
  return {{"select", name(defaults.calibration->select)},
          {"vote_weight", name(defaults.calibration->weight)},
          {"lanes", defaults.calibration->lanes}};
}

// The marks by which the page tells what a lane thinks from what it says; empty where there are none.
Json thinking_json(const Model& model) {
  const ThinkingMarks marks = model.chat_style(/*with_tools=*/false).thinking;
  return {{"begin", marks.begin}, {"end", marks.end}, {"message", marks.message}, {"answer", marks.answer}};
}

void props(ServerContext& context, const httplib::Request&, httplib::Response& response) {
  const ModelInfo& info = context.model->info();
  const Sampling usual;
  const EngineState state = context.service->state();
  send_json(response, {{"build_info", "lanerope " + std::string(version())},
                       {"model_path", info.file.substr(info.file.rfind('/') + 1)},
                       {"model", context.model_id()},
                       {"model_alias", context.model_id()},
                       {"modalities", {{"vision", false}, {"audio", false}}},
                       {"bos_token", info.begin_token ? context.model->piece(*info.begin_token) : ""},
                       {"eos_token", info.end_token ? context.model->piece(*info.end_token) : ""},
                       {"architecture", info.architecture},
                       {"n_layer", info.n_layer},
                       {"n_head", info.n_head},
                       {"n_ctx_train", info.trained_context},
                       {"n_params", info.n_parameters},
                       {"chat_template", info.chat_template_source},
                       {"chat_template_caps", info.chat_template_capabilities},
                       {"thinking", thinking_json(*context.model)},
                       {"device", info.device},
                       {"back_end", info.back_end},
                       {"path", info.back_end},  // its name until 0.2.0
                       {"names", lane_names()},
                       {"policies", policies_json()},
                       {"lane_tools", lane_tools_json(context.options.defaults.tools)},
                       {"threads", info.threads},
                       {"kv_cells", state.cells},
                       {"total_slots", context.total_slots()},
                       {"bytes_per_cell", context.model->bytes_per_cell()},
                       {"calibration", calibration_json(context.options.defaults)},
                       {"verifier", !context.options.defaults.verifier.empty()},
                       {"trained_lanes", info.lanes ? info.lanes->lanes : std::vector<int32_t>()},
                       {"adapters", adapters_json(context)},
                       {"examples", examples_json(context.examples)},
                       {"default_generation_settings",
                        {{"n_predict", context.options.defaults.budget},
                         {"n_ctx", info.trained_context},
                         {"params",
                          {{"temperature", usual.temperature},
                           {"top_k", usual.top_k},
                           {"top_p", usual.top_p},
                           {"min_p", usual.min_p},
                           {"repeat_penalty", usual.repetition_penalty},
                           {"repeat_last_n", usual.penalty_window}}}}}});
}

// The prompt of a chat with the same body; what is said of tools is the client's, not the operator's.
void apply_template(ServerContext& context, const httplib::Request& request, httplib::Response& response) {
  const RequestDefaults defaults = context.defaults();
  const ApiRequest api =
      read_api_request(context, ApiEndpoint::chat, parse_body(request.body), {request, response});
  const Prompt prompt = to_request(api, *context.model, defaults).prompt;
  send_json(response, {{"prompt", context.model->prompt_text(prompt, defaults.no_template).text}});
}

void list_adapters(ServerContext& context, const httplib::Request&, httplib::Response& response) {
  send_json(response, adapters_json(context));
}

// As llama-server has it: a list of {id, scale}; adapters that it does not name are off.
void scale_adapters(ServerContext& context, const httplib::Request& request, httplib::Response& response) {
  const Json body = parse_body("{\"lora\":" + request.body + "}");
  const Json* list = JsonFields(body).find("lora");
  if (list == nullptr || !list->is_array())
    throw ApiError(400, "the body must be an array of {\"id\", \"scale\"}");
  std::vector<float> scales(context.model->info().adapters.size(), 0.0F);
  for (const AdapterScale& adapter : parse_adapter_scales(*list, "adapter")) {
    if (static_cast<size_t>(adapter.id) >= scales.size())
      throw ApiError(400, "adapter.id names no loaded adapter", "adapter.id");
    scales[static_cast<size_t>(adapter.id)] = adapter.scale;
  }
  {
    const std::lock_guard lock(context.scales_mutex);
    context.adapter_scales = scales;
  }
  send_json(response, adapters_json(context));
}

}  // namespace

void add_extra_routes(httplib::Server& http, ServerContext& context) {
  const size_t most = context.options.transport.most_body;
  http.Get("/health", bound(context, health));
  http.Get("/v1/health", bound(context, health));
  http.Get("/metrics", bound(context, metrics));
  http.Get("/props", bound(context, props));
  add_post(http, "/apply-template", most, bound(context, apply_template));
  http.Get("/lora-adapters", bound(context, list_adapters));
  add_post(http, "/lora-adapters", most, bound(context, scale_adapters));
}

}  // namespace lanerope::server
