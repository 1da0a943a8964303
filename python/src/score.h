// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bindings.h"
#include "lanerope/engine.h"

namespace lanerope::python {

// What is to be scored, out of a prompt and lanes as texts or token ids, the options of a coupling,
// adapter_scales, start_steps and top_logits. A text is taken as it is, lanes without what the model wants
// before a text.
ScoreRequest to_score_request(const Model& model, nb::handle prompt, nb::handle lanes, nb::dict options);

// [{tokens: int32 [n], logprobs: float32 [n], top: [[(token, logit)]]}], one a lane.
nb::list scores_of(const ScoreResult& result);

}  // namespace lanerope::python
