// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lanerope/resolve.h"

namespace lanerope::engine {

// The policies of a request whose lanes, selection and budget are resolved: checked, with all of their
// settings, and room for the lanes that they may add.
void resolve_policies(ResolvedRequest& resolved, const RequestDefaults& defaults);

}  // namespace lanerope::engine
