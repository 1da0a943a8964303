// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lanerope/model.h"
#include "lanerope/resolve.h"

namespace lanerope::engine {

// What the lanes of a request keep to: its format, behind the thinking that its prompt leaves open, and the
// budget of that. Wants the prompt and the lanes resolved. Throws InvalidRequest for what is no format, and
// for texts of lanes that do not fit.
void resolve_format(ResolvedRequest& resolved, const Model& model, const RequestDefaults& defaults);

}  // namespace lanerope::engine
