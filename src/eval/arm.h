// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lanerope/model.h"
#include "lanerope/request.h"

namespace lanerope::eval {

// One way to answer the questions, to be compared with others.
struct Arm {
  std::string name = {};
  std::string model = {};  // empty: the command's
  std::vector<AdapterOptions> adapters = {};
  int32_t lanes = 1;        // N of a group
  int32_t lanes_total = 0;  // lanes a question gets in all, a multiple of N; 0: the command's, at least N
  int32_t beam_width = 0;   // above 0: beam search for one text, in place of lanes
  // What is unset stays as the model (or adapter) was trained, or as the engine does it.
  CouplingChoice coupling = {};
  std::optional<std::string> tag = {};
  std::optional<std::string> wait = {};
  std::optional<std::string> ready = {};
  std::optional<float> temperature = {};
  std::vector<PolicyChoice> policies = {};
  std::vector<std::string> tools = {};   // as add_tool() takes them
  std::optional<SecondStage> then = {};  // whose answer is the group's one
};

// "NAME" or "NAME:key=value,...", a comma inside a value being written "\,". Names with a meaning:
// independent (N = 1; with n, as many that do not see one another), lanerope (as trained), closed (as
// trained, tags and all, but lanes do not see one another), groupthink, hogwild, bridge, beam (beam search
// over one lane). Keys: n, total, coupling, init, stride, visibility, window, sees-from, topology, block,
// prompt-lane, far-lanes, trained-lanes, tag, wait, ready, then, then-budget, model, lora, temp, width,
// policy (repeatable, with semicolons between its settings), tool (repeatable). A name of another kind needs
// a key. Throws InvalidRequest.
Arm parse_arm(std::string_view text);

}  // namespace lanerope::eval
