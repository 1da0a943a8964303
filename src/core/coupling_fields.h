// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lanerope/coupling.h"

namespace lanerope::core {

// Which fields of a coupling its kind reads. What is not read is refused where somebody says it, and left out
// where a coupling is said in full.
struct CouplingFields {
  bool lanes = false;        // which cells of other lanes are seen: visibility, topology, block, window
  bool omega = false;        // init, omega, far_lanes, trained_lanes
  bool stride = false;       // without omega; with it, where omega is made of a stride
  bool sees_from = false;    // lanes can sleep, so they have a hand-over
  bool prompt_lane = false;  // a rotation, or an offset, between lanes
};

constexpr CouplingFields fields_of(CouplingKind kind) {
  switch (kind) {
    case CouplingKind::independent:
    case CouplingKind::bridge:
      return {};
    case CouplingKind::lanerope:
      return {.lanes = true, .omega = true, .sees_from = true, .prompt_lane = true};
    case CouplingKind::groupthink:
      return {.lanes = true, .stride = true, .sees_from = true, .prompt_lane = true};
    case CouplingKind::hogwild:
      return {.lanes = true};
  }
  return {};
}

// Whether a stride goes with such an omega. It makes nothing of one that is 0, but those that compare strides
// and initialisations say both.
constexpr bool goes_with_stride(OmegaInit init) {
  return init != OmegaInit::given;
}

}  // namespace lanerope::core
