// SPDX-License-Identifier: Apache-2.0
#include "server/to_request.h"

namespace lanerope::server {

namespace {

// Attention records larger than this are refused: they are kept in memory until the group ends.
constexpr int64_t most_attention_bytes = int64_t{256} << 20;

// As llama-server has it: adapters that the request does not name are off.
std::vector<float> to_scales(const std::optional<std::vector<AdapterScale>>& adapters, const Model& model) {
  if (!adapters) return {};
  std::vector<float> scales(model.info().adapters.size(), 0.0F);
  for (const AdapterScale& adapter : *adapters) {
    if (static_cast<size_t>(adapter.id) >= scales.size()) {
      throw ApiError(400,
                     "lora names adapter " + std::to_string(adapter.id) + ", and " +
                         std::to_string(scales.size()) + " are loaded; see /lora-adapters",
                     "lora");
    }
    scales[adapter.id] = adapter.scale;
  }
  return scales;
}

void check_verifier(const Request& request, const RequestDefaults& defaults) {
  if (request.selection.kind != SelectionKind::verifier || !defaults.verifier.empty()) return;
  throw ApiError(400, "this server was started without a verifier, so lanes.select cannot be \"verifier\"",
                 "lanes.select");
}

void check_attention(const ResolvedRequest& request, const Model& model) {
  if (request.asked.attention == AttentionRecording::none) return;
  const int64_t lanes = request.n_lanes() + request.reserved_lanes;
  const int64_t bytes = lanes * request.budget * (1 + lanes) * model.info().n_layer * model.info().n_head * 4;
  if (bytes > most_attention_bytes) {
    throw ApiError(400,
                   "recording the attention of this request takes " + std::to_string(bytes >> 20) +
                       " MiB, and at most " + std::to_string(most_attention_bytes >> 20) +
                       " are allowed; ask for fewer lanes or tokens, or leave lanes.attention out",
                   "lanes.attention");
  }
}

// Lanes that a policy adds may be the answer; as choices beside the n that the client asked for they would be
// none that it knows.
void check_added_lanes(const ApiRequest& api, const ResolvedRequest& request) {
  const bool added = request.reserved_lanes > api.lanes.reserve;
  if (!added || api.endpoint == ApiEndpoint::group || api.lanes.returned == ReturnedLanes::selected) return;
  throw ApiError(400,
                 "a policy that adds lanes needs one answer that is chosen from them; send lanes.return "
                 "\"selected\", or lanes.count",
                 "lanes.policies");
}

// What the client says of thinking, in the variables that the model's template has for it.
void set_thinking(Request& request, const ApiRequest& api, const Model& model) {
  Json arguments = api.template_arguments;
  const auto set = [&](const char* variable, const Json& value) {
    if (!model.template_reads(variable)) return false;
    if (!arguments.contains(variable)) arguments[variable] = value;
    return true;
  };
  if (api.reasoning_effort == "none") {
    const bool switched = set("enable_thinking", false) || set("thinking", false);
    const bool marks = !model.chat_style(api.tools.offered()).thinking.begin.empty();
    if (!switched && marks && !request.thinking_budget) request.thinking_budget = 0;
  } else if (!api.reasoning_effort.empty() && !set("reasoning_effort", api.reasoning_effort)) {
    set("enable_thinking", true);
  }
  if (!arguments.empty()) request.prompt.template_arguments = to_text(arguments);
}

void set_tools(Request& request, const ApiRequest& api, const Model& model) {
  const ChatStyle style = model.chat_style(api.tools.offered());
  request.control_text =
      !style.thinking.begin.empty() || style.tools == ToolStyle::harmony || api.tools.offered();
  if (!api.tools.offered()) return;
  if (style.tools == ToolStyle::none && !model.info().chat_template.empty()) {
    throw ApiError(
        400,
        "lanerope does not know how this model writes calls of tools, if it does; leave tools out, or send "
        "tool_choice \"none\"",
        "tools");
  }
  request.prompt.tools = api.tools.text;
  const auto keeps = [&model](const AnswerFormat& format) { return model.format_obstacle(format).empty(); };
  AnswerFormat calls = call_format(api.tools, style.tools, keeps);
  if (api.format.kind == FormatKind::any) {
    request.format = std::move(calls);
    return;
  }
  if (api.tools.choice == ToolChoice::required) {
    throw ApiError(
        400, "an answer that must call a tool has no other format; send one of tool_choice and the format",
        "tool_choice");
  }
  ToolRequest may_call = api.tools;  // a call, or the format
  may_call.choice = ToolChoice::required;
  request.format.otherwise = call_format(may_call, style.tools, keeps).text;
}

// Of the operator's tools those that the client names; nothing where it says nothing.
std::optional<LaneTools> tools_of(const ApiRequest& api, const RequestDefaults& defaults) {
  if (!api.lanes.tools) return std::nullopt;
  const LaneTools& offered = defaults.tools;
  LaneTools chosen = offered;
  chosen.tools.clear();
  chosen.notes = false;
  for (const std::string& name : *api.lanes.tools) {
    const auto tool = std::ranges::find(offered.tools, name, &lanerope::Tool::name);
    if (tool != offered.tools.end()) {
      chosen.tools.push_back(*tool);
    } else if (name == "notes" && offered.notes) {
      chosen.notes = true;
    } else {
      std::string names = offered.notes ? "notes" : "";
      for (const lanerope::Tool& other : offered.tools) names += (names.empty() ? "" : ", ") + other.name;
      throw ApiError(400,
                     "this server has no tool \"" + name + "\" for lanes" +
                         (names.empty() ? "; leave lanes.tools out" : "; it has " + names),
                     "lanes.tools");
    }
  }
  return chosen;
}

}  // namespace

RequestDefaults server_defaults() {
  return {.budget = 512,
          .budget_behind_forced = true,
          .most_cells = 8192,
          .over_context = OverContext::cut,
          .seeds = uint64_t{1} << 53};  // numbers that JavaScript can hold
}

Request to_request(const ApiRequest& api, const Model& model, const RequestDefaults& defaults,
                   GroupOf which) {
  const TextPrompt prompt = api.prompts.empty() ? TextPrompt{} : api.prompts.at(which.prompt);
  Request request{.prompt = {.text = prompt.text,
                             .tokens = prompt.tokens,
                             .messages = api.messages,
                             .continue_last = api.continue_last},
                  .lanes = api.lanes_each(),
                  .max_tokens = api.max_tokens,
                  .coupling = api.lanes.coupling,
                  .tag = api.lanes.tag,
                  .wait = api.lanes.wait,
                  .ready = api.lanes.ready,
                  .lane_texts = api.lanes.texts,
                  .sampling = api.sampling,
                  .stop = api.stop,
                  .ignore_end = api.ignore_end,
                  .format = api.format,
                  .thinking_budget = api.thinking_budget,
                  .selection = {.weight = api.lanes.vote_weight, .consensus = api.lanes.consensus},
                  .then = api.lanes.then,
                  .policies = api.lanes.policies,
                  .tools = tools_of(api, defaults),
                  .logprobs = api.logprobs,
                  .top_logprobs = api.top_logprobs,
                  .certainty_window = api.lanes.certainty_window,
                  .priority = api.priority,
                  .client = api.client,
                  .request_id = api.request_id,
                  .trace_parent = api.trace_parent,
                  .adapter_scales = to_scales(api.lora, model),
                  .reserved_lanes = api.lanes.reserve,
                  .hold = api.lanes.hold};
  // Answers of one seed differ as lanes do.
  if (api.seed) request.sampling.seed = *api.seed + which.answer;
  if (api.echo && api.logprobs) request.prompt_logprobs = api.top_logprobs;
  if (api.lanes.select) request.selection.kind = *api.lanes.select;
  if (api.lanes.attention) request.attention = AttentionRecording::mass;
  if (!api.messages.empty()) {
    set_thinking(request, api, model);
    set_tools(request, api, model);
  }
  check_verifier(request, defaults);
  return request;
}

std::shared_ptr<const ResolvedRequest> resolve_api(const ApiRequest& api, const Model& model,
                                                   const RequestDefaults& defaults, GroupOf which) {
  Request request = to_request(api, model, defaults, which);
  std::shared_ptr<const ResolvedRequest> resolved;
  if (api.lanes.present || request.policies.empty()) {
    resolved = resolve(model, request, defaults);
  } else {
    // What the operator says of lanes is for groups of any size.
    RequestDefaults usual = defaults;
    usual.policies = std::exchange(request.policies, {});
    resolved = resolve(model, request, usual);
  }
  check_attention(*resolved, model);
  check_added_lanes(api, *resolved);
  return resolved;
}

std::vector<std::shared_ptr<const ResolvedRequest>> resolve_groups(const ApiRequest& api, const Model& model,
                                                                   const RequestDefaults& defaults) {
  std::vector<std::shared_ptr<const ResolvedRequest>> groups;
  for (size_t prompt = 0; prompt < api.n_prompts(); ++prompt) {
    for (size_t answer = 0; answer < static_cast<size_t>(api.groups_each()); ++answer)
      groups.push_back(resolve_api(api, model, defaults, {.prompt = prompt, .answer = answer}));
  }
  return groups;
}

}  // namespace lanerope::server
