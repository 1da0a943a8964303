// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lanerope/chat_style.h"
#include "lanerope/coupling.h"
#include "lanerope/request.h"

namespace lanerope {

// What a budget that follows from max_tokens does at the end of the model's context. One that follows from
// nothing is cut always.
enum class OverContext {
  refuse,
  cut,  // to what the context leaves, as other servers do: lanes then end with FinishReason::length
};

// Which lanes get a tag where the request names none.
enum class TaggedLanes {
  seeing,   // those of a group in which lanes see one another
  several,  // those of every group of more than one
};

// What a front end decides where a request does not, as data: the command line, the server and the evaluation
// each have one.
struct RequestDefaults {
  // Of lanes for which neither the model nor an adapter was trained, where the request says nothing of a
  // coupling: such lanes answer best when they do not see one another (docs/couplings.md has the figures).
  CouplingKind untrained = CouplingKind::independent;
  // Where the request couples them all the same and does not say how omega begins: the one that harms least.
  OmegaInit untrained_init = OmegaInit::ntk_by_parts;
  int32_t budget = 512;  // word problems take a model of 0.5 B some 280 tokens on average
  bool budget_behind_forced =
      false;  // it comes behind the longest of what lanes are forced, instead of holding it
  int32_t most_cells =
      0;  // a default budget shrinks until prompt and lanes fit into so many cells; 0: no bound
  OverContext over_context = OverContext::refuse;
  NoTemplate no_template = NoTemplate::refuse;
  TaggedLanes tagged = TaggedLanes::seeing;
  uint64_t seeds = 0;                       // an unset seed is drawn from the numbers below this; 0: it is 0
  std::vector<float> adapter_scales = {};   // where the request has none; empty: those they were loaded with
  std::string verifier = {};                // the command of selection by verifier where the request has none
  double verifier_timeout = 30;             // seconds, of that command
  std::vector<PolicyChoice> policies = {};  // where the request has none
  PolicyCommand policy_command = {};        // likewise
  LaneTools tools = {};                     // likewise, where they go with it
  std::optional<int32_t> thinking_budget = {};  // where the request has none
  // For selections that it was fitted for, where the request has none.
  std::shared_ptr<const CalibrationCurve> calibration = {};
};

}  // namespace lanerope
