// SPDX-License-Identifier: Apache-2.0
#include "server/api_request.h"
#include "server/json_fields.h"

namespace lanerope {

namespace {

constexpr int64_t most_lanes = 1024;
constexpr int64_t most_cells = 1 << 20;

std::optional<OmegaInit> parse_init(std::string_view text) {
  const std::optional<OmegaInit> init = parse_omega_init(text);
  return init == OmegaInit::given ? std::nullopt : init;
}

std::optional<ReturnedLanes> parse_returned(std::string_view text) {
  if (text == "all") return ReturnedLanes::all;
  if (text == "selected") return ReturnedLanes::selected;
  return std::nullopt;
}

std::optional<int32_t> narrow(std::optional<int64_t> value) {
  if (!value) return std::nullopt;
  return static_cast<int32_t>(*value);
}

}  // namespace

LanesObject parse_lanes_object(const Json& body) {
  const JsonFields request(body);
  const std::optional<JsonFields> given = request.object("lanes");
  if (!given) return {};
  const JsonFields& fields = *given;
  LanesObject lanes{.present = true};
  lanes.coupling =
      fields.choice("coupling", parse_coupling_kind, "independent, lanerope, groupthink, hogwild");
  lanes.init = fields.choice("init", parse_init, "rope, gt, ntk, ntk-by-parts");
  lanes.stride = narrow(fields.integer("stride", {.least = 0, .most = most_cells}));
  lanes.window = narrow(fields.integer("window", {.least = 0, .most = most_cells}));
  lanes.visibility = fields.choice("visibility", parse_visibility, "inclusive, strict, interleaved");
  lanes.topology = fields.choice("topology", parse_topology, "all, ring, tree");
  lanes.prompt_lane = fields.choice("prompt_lane", parse_prompt_lane, "own, first");
  lanes.force = fields.flag("force").value_or(false);
  lanes.tag = fields.text("tag");
  lanes.texts = fields.texts("text", /*one_too=*/false).value_or(std::vector<std::string>{});
  lanes.select = fields.choice("select", parse_selection_kind, "none, vote, logprob, verifier, first");
  lanes.consensus = narrow(fields.integer("consensus", {.least = 0, .most = most_lanes})).value_or(0);
  lanes.returned = fields.choice("return", parse_returned, "all, selected").value_or(ReturnedLanes::all);
  lanes.reserve = narrow(fields.integer("reserve", {.least = 0, .most = most_lanes})).value_or(0);
  lanes.attention = fields.flag("attention").value_or(false);
  lanes.hold = fields.flag("hold").value_or(false);
  if (lanes.init && lanes.coupling && *lanes.coupling != CouplingKind::lanerope) {
    fields.refuse("init", "belongs to the lanerope coupling; leave it out or ask for that coupling");
  }
  if (lanes.returned == ReturnedLanes::selected && lanes.select == SelectionKind::none) {
    fields.refuse("return", "cannot be \"selected\" where select is \"none\"");
  }
  return lanes;
}

}  // namespace lanerope
