// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/view.h"
#include "lanerope/result.h"

namespace lanerope::cli {

// The selected lane's text; all texts, one after the other, where nothing was selected.
std::string answer_text(const GroupResult& result);

// "lane 2, vote: 3 of 4 lanes say 42 (confidence 0.75)"; without a selection, why there is none.
std::string selection_text(const GroupResult& result, const ViewContext& context);

// "prompt 120 tokens in 0.31 s (387 tokens/s), 4 lanes 512 tokens in 6.2 s (82.6 tokens/s), 48.4 ms a step,
// seed 7".
std::string timing_text(const GroupResult& result, const ViewContext& context);

// "prune retires lane 3: its confidence is ..." and the like; of what was refused, why.
std::string act_text(const PolicyAct& act);

// "lane 2 calls calculator {"expression":"48/2"}: 24".
std::string tool_text(const ToolRun& run);

// "budget spent" and the like, for a person.
std::string finish_text(FinishReason reason);

}  // namespace lanerope::cli
