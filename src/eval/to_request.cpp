// SPDX-License-Identifier: Apache-2.0
#include "eval/to_request.h"

namespace lanerope::eval {

RequestDefaults eval_defaults() {
  // An arm of several lanes is there to be compared as coupled.
  return {.untrained = CouplingKind::lanerope,
          .no_template = NoTemplate::raw_with_note,
          .tagged = TaggedLanes::several};
}

Request to_request(const Arm& arm, const Sampling& sampling) {
  Request request{.lanes = arm.lanes,
                  .coupling = arm.coupling,
                  .tag = arm.tag,
                  .wait = arm.wait,
                  .ready = arm.ready,
                  .sampling = sampling,
                  .selection = {.kind = arm.then ? SelectionKind::then : SelectionKind::none},
                  .then = arm.then,
                  .policies = arm.policies};
  request.coupling.force = true;
  if (arm.temperature) request.sampling.temperature = *arm.temperature;
  return request;
}

}  // namespace lanerope::eval
