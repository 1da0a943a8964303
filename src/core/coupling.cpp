// SPDX-License-Identifier: Apache-2.0
#include "lanerope/coupling.h"

#include "core/enum_table.h"

namespace lanerope {

namespace {

constexpr auto coupling_kinds = enum_table<CouplingKind, 4>({
    {CouplingKind::independent, "independent"},
    {CouplingKind::lanerope, "lanerope"},
    {CouplingKind::groupthink, "groupthink"},
    {CouplingKind::hogwild, "hogwild"},
});

constexpr auto omega_inits = enum_table<OmegaInit, 5>({
    {OmegaInit::rope, "rope"},
    {OmegaInit::gt, "gt"},
    {OmegaInit::ntk, "ntk"},
    {OmegaInit::ntk_by_parts, "ntk-by-parts"},
    {OmegaInit::given, "given"},
});

constexpr auto visibilities = enum_table<Visibility, 3>({
    {Visibility::inclusive, "inclusive"},
    {Visibility::strict, "strict"},
    {Visibility::interleaved, "interleaved"},
});

constexpr auto topologies = enum_table<Topology, 3>({
    {Topology::all, "all"},
    {Topology::ring, "ring"},
    {Topology::tree, "tree"},
});

constexpr auto prompt_lanes = enum_table<PromptLane, 2>({
    {PromptLane::own, "own"},
    {PromptLane::first, "first"},
});

}  // namespace

std::string_view name(CouplingKind value) {
  return coupling_kinds.name(value);
}
std::string_view name(OmegaInit value) {
  return omega_inits.name(value);
}
std::string_view name(Visibility value) {
  return visibilities.name(value);
}
std::string_view name(Topology value) {
  return topologies.name(value);
}
std::string_view name(PromptLane value) {
  return prompt_lanes.name(value);
}

std::optional<CouplingKind> parse_coupling_kind(std::string_view text) {
  return coupling_kinds.parse(text);
}
std::optional<OmegaInit> parse_omega_init(std::string_view text) {
  return omega_inits.parse(text);
}
std::optional<Visibility> parse_visibility(std::string_view text) {
  return visibilities.parse(text);
}
std::optional<Topology> parse_topology(std::string_view text) {
  return topologies.parse(text);
}
std::optional<PromptLane> parse_prompt_lane(std::string_view text) {
  return prompt_lanes.parse(text);
}

}  // namespace lanerope
