// SPDX-License-Identifier: Apache-2.0
#include "server/prepare_request.h"

#include <algorithm>
#include <random>

#include "lanerope/errors.h"

namespace lanerope::server {

namespace {

// Attention records larger than this are refused: they are kept in memory until the group ends.
constexpr int64_t most_attention_bytes = int64_t{256} << 20;

uint64_t new_seed() {
  std::random_device source;
  return ((uint64_t{source()} << 32) | source()) >> 11;  // a number that JavaScript can hold
}

std::vector<float> scales_of(const ApiRequest& api, const Model& model, const RequestDefaults& defaults) {
  if (api.lora.empty()) return defaults.adapter_scales;
  // As llama-server has it: adapters that the request does not name are off.
  std::vector<float> scales(model.info().adapters.size(), 0.0F);
  for (const AdapterScale& adapter : api.lora) {
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

// Without a model or adapter that was trained with lanes, and without a word about them, `n` means what it
// means everywhere else: independent answers.
Coupling coupling_of(const LanesObject& lanes, const LaneTraining* training) {
  Coupling coupling = training != nullptr ? training->coupling : Coupling{};
  if (training == nullptr) coupling.kind = lanes.init ? CouplingKind::lanerope : CouplingKind::independent;
  if (lanes.coupling) coupling.kind = *lanes.coupling;
  if (lanes.init) {
    coupling.init = *lanes.init;
    coupling.omega.clear();
  }
  coupling.stride = lanes.stride.value_or(coupling.stride);
  coupling.window = lanes.window.value_or(coupling.window);
  coupling.visibility = lanes.visibility.value_or(coupling.visibility);
  coupling.topology = lanes.topology.value_or(coupling.topology);
  coupling.prompt_lane = lanes.prompt_lane.value_or(coupling.prompt_lane);
  return coupling;
}

std::string tag_for(const ApiRequest& api, const Request& request, const LaneTraining* training) {
  if (api.lanes.tag) return *api.lanes.tag;
  if (request.lanes == 1 || request.coupling->kind == CouplingKind::independent) return {};
  return training != nullptr ? training->tag.value_or("<lane{k}>") : "<lane{k}>";
}

std::string with_number(std::string tag, int32_t lane) {
  constexpr std::string_view place = "{k}";
  const std::string number = std::to_string(lane + 1);
  for (size_t at = tag.find(place); at != std::string::npos; at = tag.find(place, at + number.size())) {
    tag.replace(at, place.size(), number);
  }
  return tag;
}

// The most tokens that a lane is fed before it writes: they count against the engine's budget, and the
// client's max_tokens means what the lane writes by itself.
int32_t longest_beginning(const Request& request, const Model& model) {
  size_t longest = 0;
  for (int32_t m = 0; m < request.lanes; ++m) {
    const auto tag =
        model.encode(with_number(*request.tag, m), {.add_special = false, .parse_special = true});
    size_t length = tag.size();
    if (static_cast<size_t>(m) < request.lane_texts.size()) {
      length += model.encode(request.lane_texts[m], {.add_special = false, .parse_special = true}).size();
    }
    longest = std::max(longest, length);
  }
  return static_cast<int32_t>(longest);
}

int32_t budget_of(const ApiRequest& api, const Request& request, const Model& model,
                  const RequestDefaults& defaults) {
  const int32_t beginning = longest_beginning(request, model);
  const auto prompt = static_cast<int32_t>(request.prompt_tokens.size());
  const int32_t context = model.info().trained_context;
  if (api.max_tokens) {
    // A promise that the context cannot keep is cut, as other servers do; finish_reason says "length".
    const int32_t left = context - prompt;
    return left > 0 ? std::clamp(*api.max_tokens + beginning, 1, left) : *api.max_tokens + beginning;
  }
  const int32_t lanes = request.lanes + request.reserved_lanes;
  const int32_t room = std::min(context - prompt, (defaults.kv_cells - prompt) / lanes);
  return std::max(std::min(defaults.budget + beginning, room), 1);
}

void select_lanes(const ApiRequest& api, const RequestDefaults& defaults, Request& request) {
  request.selection.kind = api.lanes.select.value_or(SelectionKind::vote);
  request.selection.consensus = api.lanes.consensus;
  if (request.selection.kind != SelectionKind::verifier) return;
  if (defaults.verifier.empty()) {
    throw ApiError(400, "this server was started without a verifier, so lanes.select cannot be \"verifier\"",
                   "lanes.select");
  }
  request.selection.verifier_command = defaults.verifier;
  request.selection.verifier_timeout = defaults.verifier_timeout;
}

void check_attention(const Request& request, const Model& model) {
  const int64_t lanes = request.lanes + request.reserved_lanes;
  const int64_t bytes = lanes * request.budget * (1 + lanes) * model.info().n_layer * model.info().n_head * 4;
  if (bytes > most_attention_bytes) {
    throw ApiError(400,
                   "recording the attention of this request takes " + std::to_string(bytes >> 20) +
                       " MiB, and at most " + std::to_string(most_attention_bytes >> 20) +
                       " are allowed; ask for fewer lanes or tokens, or leave lanes.attention out",
                   "lanes.attention");
  }
}

}  // namespace

Request prepare_request(const ApiRequest& api, const Model& model, const RequestDefaults& defaults) {
  Request request{.lanes = api.n,
                  .force_coupling = api.lanes.force,
                  .lane_texts = api.lanes.texts,
                  .sampling = api.sampling,
                  .stop = api.stop,
                  .ignore_end = api.ignore_end,
                  .logprobs = api.logprobs,
                  .top_logprobs = api.top_logprobs,
                  .reserved_lanes = api.lanes.reserve};
  request.sampling.seed = api.seed ? *api.seed : new_seed();
  if (!api.messages.empty()) {
    request.prompt = model.apply_template(api.messages);
  } else {
    request.prompt = api.prompt;
  }
  request.prompt_tokens = api.prompt_tokens.empty()
                              ? model.encode(request.prompt, {.add_special = true, .parse_special = true})
                              : api.prompt_tokens;
  request.adapter_scales = scales_of(api, model, defaults);
  const LaneTraining* training = model.lane_training(request.adapter_scales);
  request.coupling = coupling_of(api.lanes, training);
  request.tag = tag_for(api, request, training);
  request.budget = budget_of(api, request, model, defaults);
  select_lanes(api, defaults, request);
  if (api.lanes.attention) {
    check_attention(request, model);
    request.attention = AttentionRecording::mass;
  }
  if (api.max_tokens) request.max_tokens = *api.max_tokens;
  request.hold = api.lanes.hold;
  return request;
}

Json describe_coupling(const Coupling& coupling) {
  Json json = {{"kind", name(coupling.kind)}};
  if (coupling.kind == CouplingKind::independent) return json;
  if (coupling.kind == CouplingKind::lanerope) json["init"] = name(coupling.init);
  json["stride"] = coupling.stride;
  json["window"] = coupling.window;
  json["visibility"] = name(coupling.visibility);
  json["topology"] = name(coupling.topology);
  return json;
}

}  // namespace lanerope::server
