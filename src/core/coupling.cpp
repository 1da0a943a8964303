// SPDX-License-Identifier: Apache-2.0
#include "lanerope/coupling.h"

namespace lanerope {

CouplingChoice exactly(const Coupling& coupling) {
  CouplingChoice choice{.kind = coupling.kind,
                        .init = coupling.init,
                        .omega = coupling.omega,
                        .stride = coupling.stride,
                        .visibility = coupling.visibility,
                        .topology = coupling.topology,
                        .window = coupling.window,
                        .sees_from = coupling.sees_from,
                        .prompt_lane = coupling.prompt_lane,
                        .far_lanes = coupling.far_lanes};
  // Not said where they are not read.
  if (coupling.topology == Topology::blocks) choice.block = coupling.block;
  if (coupling.far_lanes != FarLanes::extrapolated) choice.trained_lanes = coupling.trained_lanes;
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
