// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "data/trace.h"

namespace lanerope::toy {

// Checks a trace of a made word problem and shares no code with what writes them: reads the parts from the
// question, each lane's text token by token, evaluates every equation, follows every total that is copied to
// the lane and the step where it was written, and finds waits that are too long or too short. Returns the
// first fault as a sentence, or nothing.
//
// A problem without lanes is checked for its answer. Where lanes have labels they were sampled from a model
// and may hold anything; then only lanes that are labelled right and end with "#### NUMBER" are compared with
// the answer.
std::optional<std::string> find_fault(const data::Trace& trace);

}  // namespace lanerope::toy
