// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "eval/arm.h"
#include "lanerope/request.h"
#include "lanerope/resolve.h"

namespace lanerope::eval {

// What an evaluation decides where an arm does not: lanes are tagged wherever there are several, so that the
// arm `closed` differs from the arm `lanerope` in what lanes see and in nothing else.
RequestDefaults eval_defaults();

// The arm as a request, without its prompt, budget and seed. Nothing is decided here.
Request to_request(const Arm& arm, const Sampling& sampling);

}  // namespace lanerope::eval
