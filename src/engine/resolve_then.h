// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lanerope/model.h"
#include "lanerope/resolve.h"

namespace lanerope::engine {

// The text of a request's second stage, if it asks for one; its budget is still open. Wants the prompt
// resolved; `told` is what was made tokens of, tools included. Throws InvalidRequest for what does not go
// with a second stage.
void resolve_then(ResolvedRequest& resolved, const Prompt& told, const Model& model,
                  const RequestDefaults& defaults);

// Cells that prompt and lanes leave to it in the model's context: its text, and what it is to write at least.
int32_t least_then_cells(const ResolvedRequest& resolved);

// Its budget. Wants that of the lanes resolved.
void resolve_then_budget(ResolvedRequest& resolved, const RequestDefaults& defaults, int32_t context);

}  // namespace lanerope::engine
