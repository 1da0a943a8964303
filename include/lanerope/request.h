// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lanerope/answer_format.h"
#include "lanerope/coupling.h"
#include "lanerope/names.h"
#include "lanerope/policy_choice.h"
#include "lanerope/prompt.h"
#include "lanerope/sampling.h"
#include "lanerope/selection.h"
#include "lanerope/token.h"
#include "lanerope/tool.h"

namespace lanerope {

// What `--attention` and its like record (docs/attention.md).
enum class AttentionRecording {
  none,
  mass,  // per layer, head, lane and step: how much goes to the prompt, to the lane itself, to each other
         // lane
};

// What a caller said. Unset stays unset until resolve(): front ends copy fields and decide nothing.
struct Request {
  Prompt prompt = {};
  int32_t lanes = 4;  // N
  // Cells of a lane: tokens that it may hold, its tag and other forced tokens included. Unset: room for
  // max_tokens behind the longest of what lanes are forced, or RequestDefaults::budget.
  std::optional<int32_t> budget = {};
  std::optional<int32_t> max_tokens = {};  // that a lane may sample, within its budget; unset or 0: all of it
  CouplingChoice coupling = {};
  // What each lane is fed first; "{k}" becomes the lane's number, from 1. Unset: the adapter's, or
  // "<lane{k}>" for N > 1 and nothing for N = 1 or lanes that do not see one another.
  std::optional<std::string> tag = {};
  // The tokens by which lanes wait for one another (sleep.h): texts of one token each. Unset: the adapter's,
  // or none. An empty wait: lanes never sleep. An empty ready: only the end of a lane wakes others.
  std::optional<std::string> wait = {};
  std::optional<std::string> ready = {};
  std::vector<std::string> lane_texts = {};  // per lane, fed after its tag; may be shorter than `lanes`
  Sampling sampling = {};
  std::vector<std::string> stop = {};  // a lane ends before it would emit one of these
  bool control_text = false;           // control tokens that a lane writes are, by name, part of its text
  bool ignore_end = false;             // end tokens do not end a lane; for measurements
  // What every lane keeps to, behind its tag and behind what it thinks. Text that a lane is forced must fit.
  AnswerFormat format = {};
  // Tokens that a lane may think before it must answer, where the chat template marks its thinking; 0: none,
  // -1: no bound, whatever the defaults say.
  std::optional<int32_t> thinking_budget = {};
  Selection selection = {};
  // SelectionKind::then is what chooses with it, and nothing else does.
  std::optional<SecondStage> then = {};
  // What watches the group and acts on its lanes, in this order; consensus as Selection has it is one of
  // them.
  std::vector<PolicyChoice> policies = {};
  PolicyCommand policy_command = {};  // none: RequestDefaults::policy_command
  // What lanes call while they write, run inside the engine. Unset: RequestDefaults::tools, where they go
  // with the rest of the request.
  std::optional<LaneTools> tools = {};
  bool logprobs = false;     // Event::logprob is set for sampled tokens
  int32_t top_logprobs = 0;  // alternatives reported with each token, at most 20
  // The log-probabilities of the prompt's own tokens, with so many alternatives each, 0 to 20, come with
  // EventKind::prefill. The prompt is read in full then, whatever is kept of it.
  std::optional<int32_t> prompt_logprobs = {};
  // Above 0, LaneResult::certainty is measured, with a window of so many tokens. A vote that is weighted by
  // it measures it too, with a window of 64 where this is 0.
  int32_t certainty_window = 0;
  int32_t priority = 0;     // where groups wait, those of a lower one start first, and are put back last
  std::string client = {};  // for whom; clients that wait take turns by the tokens that they were served
  // Who asked and on whose behalf, for observers of a service; the engine does not look at them.
  std::string request_id = {};
  std::string trace_parent = {};           // W3C trace context, as the header "traceparent" has it
  std::vector<float> adapter_scales = {};  // per loaded adapter; empty means the scales it was loaded with
  int32_t reserved_lanes = 0;  // room for lanes that are spawned later; policies reserve what they may add
  // Once finished, the group stays readable for Engine::probe until Engine::release, or until another group
  // needs its cells. A cancelled group is never held.
  bool hold = false;
  AttentionRecording attention = AttentionRecording::none;
};

// A lane that joins a running group at its clock.
struct SpawnOptions {
  int32_t parent = -1;     // fork this lane; -1 starts afresh
  int32_t fork_step = -1;  // the fork's own past is the parent's text before this step; -1 means the clock
  std::string text = {};   // forced first, after the tag of a fresh lane
  std::vector<TokenId> tokens = {};  // forced behind it
};

}  // namespace lanerope
