// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lanerope/resolve.h"

namespace lanerope::engine {

// The tools in force, checked, and the prompt that tells the model of them. Those of the defaults, which the
// request does not ask for, are left out where they do not go with it.
Prompt resolve_tools(ResolvedRequest& resolved, const Model& model, const RequestDefaults& defaults);

}  // namespace lanerope::engine
