// SPDX-License-Identifier: Apache-2.0
#include "lanerope/errors.h"
#include "lanerope/policy.h"
#include "server/api_request.h"
#include "server/json_fields.h"

namespace lanerope {

template <>
std::span<const Named<server::ReturnedLanes>> names() {
  static constexpr Named<server::ReturnedLanes> all[] = {
      {server::ReturnedLanes::all, "all"},
      {server::ReturnedLanes::selected, "selected"},
  };
  return all;
}

}  // namespace lanerope

namespace lanerope::server {

namespace {

constexpr int64_t most_lanes = 1024;
constexpr int64_t most_cells = 1 << 20;

std::optional<int32_t> narrow(std::optional<int64_t> value) {
  if (!value) return std::nullopt;
  return static_cast<int32_t>(*value);
}

std::vector<PolicyChoice> parse_policies(const JsonFields& fields) {
  std::vector<PolicyChoice> policies;
  try {
    for (const std::string& text :
         fields.texts("policies", /*one_too=*/false).value_or(std::vector<std::string>{}))
      policies.push_back(resolve_policy(parse_policy(text)));
  } catch (const InvalidRequest& refusal) {
    throw ApiError(400, refusal.what(), fields.path_of("policies"));
  }
  return policies;
}

std::optional<SecondStage> parse_then(const JsonFields& fields) {
  const std::optional<std::string> text = fields.text("then");
  const auto budget = narrow(fields.integer("then_budget", {.least = 1, .most = most_cells}));
  if (budget && !text)
    fields.refuse("then_budget", "is the budget of a second stage; say what it does, with then");
  if (!text) return std::nullopt;
  return SecondStage{.text = *text, .budget = budget};
}

// A group is watched and joined by its name, which nobody has of another request; and it has no choices.
void check_endpoint(ApiEndpoint endpoint, const JsonFields& fields, const LanesObject& lanes) {
  if (endpoint == ApiEndpoint::group) {
    if (fields.find("return") != nullptr)
      fields.refuse("return", "has no use in a group, whose lanes are all in its events; leave it out");
    return;
  }
  const auto refuse = [&fields](const char* key) {
    fields.refuse(key, "is for live groups; leave it out, or send the request to /v1/groups");
  };
  // A policy command may add lanes to any group; as choices they would be none that the client knows.
  if (lanes.reserve > 0 && lanes.returned != ReturnedLanes::selected) refuse("reserve");
  if (lanes.attention) refuse("attention");
  if (lanes.hold) refuse("hold");
}

}  // namespace

LanesObject parse_lanes_object(ApiEndpoint endpoint, const Json& body) {
  const JsonFields request(body);
  const std::optional<JsonFields> given = request.object("lanes");
  if (!given) return {};
  const JsonFields& fields = *given;
  LanesObject lanes{.present = true};
  lanes.count = narrow(fields.integer("count", {.least = 1, .most = most_lanes}));
  CouplingChoice& coupling = lanes.coupling;
  coupling.kind = fields.choice<CouplingKind>("coupling");
  coupling.init = fields.choice("init", {OmegaInit::given});
  coupling.stride = narrow(fields.integer("stride", {.least = 0, .most = most_cells}));
  coupling.window = narrow(fields.integer("window", {.least = 0, .most = most_cells}));
  coupling.sees_from = fields.choice<SeesFrom>("sees_from");
  coupling.visibility = fields.choice<Visibility>("visibility");
  coupling.topology = fields.choice<Topology>("topology");
  coupling.prompt_lane = fields.choice<PromptLane>("prompt_lane");
  coupling.block = narrow(fields.integer("block", {.least = 1, .most = most_lanes}));
  coupling.far_lanes = fields.choice<FarLanes>("far_lanes");
  coupling.trained_lanes = narrow(fields.integer("trained_lanes", {.least = 2, .most = most_lanes}));
  coupling.force = fields.flag("force").value_or(false);
  lanes.tag = fields.text("tag");
  lanes.wait = fields.text("wait");
  lanes.ready = fields.text("ready");
  lanes.texts = fields.texts("text", /*one_too=*/false).value_or(std::vector<std::string>{});
  lanes.select = fields.choice<SelectionKind>("select");
  lanes.vote_weight = fields.choice<VoteWeight>("vote_weight").value_or(VoteWeight::equal);
  lanes.certainty_window =
      narrow(fields.integer("certainty_window", {.least = 0, .most = most_cells})).value_or(0);
  lanes.consensus = narrow(fields.integer("consensus", {.least = 0, .most = most_lanes})).value_or(0);
  lanes.policies = parse_policies(fields);
  lanes.tools = fields.texts("tools", /*one_too=*/false);
  lanes.then = parse_then(fields);
  const bool one_answer = lanes.then || (lanes.count && lanes.select != SelectionKind::none);
  lanes.returned = fields.choice<ReturnedLanes>("return").value_or(one_answer ? ReturnedLanes::selected
                                                                              : ReturnedLanes::all);
  lanes.reserve = narrow(fields.integer("reserve", {.least = 0, .most = most_lanes})).value_or(0);
  lanes.attention = fields.flag("attention").value_or(false);
  lanes.hold = fields.flag("hold").value_or(false);
  check_endpoint(endpoint, fields, lanes);
  if (coupling.init && coupling.kind && *coupling.kind != CouplingKind::lanerope) {
    fields.refuse("init", "belongs to the lanerope coupling; leave it out or ask for that coupling");
  }
  if (lanes.then && lanes.returned == ReturnedLanes::all) {
    fields.refuse("return", "cannot be \"all\" with a second stage, whose text is the one answer");
  }
  if (lanes.then && lanes.select && lanes.select != SelectionKind::then) {
    fields.refuse("select", "cannot be anything but \"then\" with a second stage; leave it out");
  }
  if (lanes.returned == ReturnedLanes::selected && lanes.select == SelectionKind::none) {
    fields.refuse("return", "cannot be \"selected\" where select is \"none\"");
  }
  return lanes;
}

}  // namespace lanerope::server
