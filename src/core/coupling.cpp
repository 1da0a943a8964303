// SPDX-License-Identifier: Apache-2.0
#include "lanerope/coupling.h"

#include "core/coupling_fields.h"

namespace lanerope {

CouplingChoice exactly(const Coupling& coupling) {
  const core::CouplingFields read = core::fields_of(coupling.kind);
  CouplingChoice choice{.kind = coupling.kind};
  if (read.omega) {
    choice.init = coupling.init;
    choice.omega = coupling.omega;
    choice.far_lanes = coupling.far_lanes;
    if (coupling.far_lanes != FarLanes::extrapolated) choice.trained_lanes = coupling.trained_lanes;
  }
  if (read.stride || (read.omega && core::goes_with_stride(coupling.init))) choice.stride = coupling.stride;
  if (read.lanes) {
    choice.visibility = coupling.visibility;
    choice.topology = coupling.topology;
    choice.window = coupling.window;
    if (coupling.topology == Topology::blocks) choice.block = coupling.block;
  }
  if (read.sees_from) choice.sees_from = coupling.sees_from;
  if (read.prompt_lane) choice.prompt_lane = coupling.prompt_lane;
  return choice;
}

std::string describe(const Coupling& coupling) {
  const Coupling usual;
  std::string text(name(coupling.kind));
  if (!sees_other_lanes(coupling.kind)) return text;
  if (coupling.kind == CouplingKind::lanerope) text += ", omega " + std::string(name(coupling.init));
  if (coupling.stride != usual.stride) text += ", stride " + std::to_string(coupling.stride);
  if (coupling.window != usual.window) text += ", window " + std::to_string(coupling.window);
  if (coupling.sees_from != usual.sees_from)
    text += ", from the " + std::string(name(coupling.sees_from)) + " on";
  if (coupling.visibility != usual.visibility) text += ", " + std::string(name(coupling.visibility));
  if (coupling.topology != usual.topology) text += ", " + std::string(name(coupling.topology));
  if (coupling.topology == Topology::blocks) text += " of " + std::to_string(coupling.block);
  if (coupling.prompt_lane != usual.prompt_lane) text += ", prompt in the first lane";
  if (coupling.far_lanes != usual.far_lanes)
    text += ", lanes beyond " + std::to_string(coupling.trained_lanes) + " " +
            std::string(name(coupling.far_lanes));
  return text;
}

}  // namespace lanerope
