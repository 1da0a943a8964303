// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lanerope/lane_result.h"
#include "lanerope/names.h"
#include "lanerope/policy_act.h"
#include "lanerope/token.h"

namespace lanerope {

struct ResolvedRequest;  // lanerope/resolve.h

// Names a group of one engine; from 1, never used twice.
using GroupId = int64_t;

// What a confidence is a share or a probability of.
enum class ConfidenceKind {
  none,              // nothing was selected
  vote_share,        // of the lanes, those that gave the answer
  weight_share,      // of the weights of all lanes, those of the lanes that gave the answer
  mean_probability,  // of the selected lane's tokens: exp of their mean log-probability
  verifier_score,    // as the verifier gave it, or its share of a soft-max where scores are not in [0, 1]
  calibrated,        // how often a claim like this one is right, by the curve of Selection::calibration
};
template <>
std::span<const Named<ConfidenceKind>> names();

// How sure a selection is, and in what sense.
struct Confidence {
  double value = 0;  // 0 to 1
  ConfidenceKind kind = ConfidenceKind::none;
};

// What became of a group. Seconds are those of the clock on the wall, other groups' share of each step
// included.
struct GroupResult {
  std::vector<LaneResult> lanes = {};  // by index; empty if the group ended before they started
  int32_t selected = -1;               // index of the lane; -1 if none was selected
  int32_t then_lane = -1;              // index of the second stage's lane, the last; -1: there was none
  Confidence confidence = {};          // what the selection claims
  std::vector<Vote> votes = {};        // heaviest first
  std::string note = {};  // anything that went wrong on the way, such as a verifier that was cut off
  int32_t prompt_tokens = 0;
  int32_t cached_prompt_tokens = 0;  // of these, read from a prefix that was already stored
  int32_t clock = 0;                 // steps
  double prefill_seconds = 0;
  double decode_seconds = 0;
  bool consensus = false;
  std::vector<PolicyAct> acts = {};  // of its policies, in order
  // Why the group failed, with FinishReason::failed; what() is a sentence for a person. Null otherwise.
  std::exception_ptr error = {};
};

// Throws what ended the group, if it failed.
inline void rethrow_failure(const GroupResult& result) {
  if (result.error) std::rethrow_exception(result.error);
}

// What happened to a group.
enum class EventKind {
  prefill,  // the prompt is in the KV cells; the lanes start
  lane_started,
  token,       // one token of one lane
  lane_slept,  // the lane's last token is held back, and the lane waits for others (sleep.h)
  lane_woke,   // it is fed now
  policy,      // a policy acts, or was refused to; what comes of it follows
  lane_finished,
  group_finished,  // the last event of a group; `result` is set
};
template <>
std::span<const Named<EventKind>> names();

// A token of the prompt as the model saw it coming.
struct PromptToken {
  TokenId token = 0;
  std::optional<float> logprob = {};  // of its first token, which nothing came before, there is none
  std::vector<Alternative> top = {};  // likeliest first
};

// One thing that happened to one group, as Engine::step tells it.
struct Event {
  EventKind kind = EventKind::token;
  GroupId group = 0;
  int32_t lane = -1;  // from 0; -1 where the event is the group's
  int32_t step = 0;   // of a token: at which it is fed, if its lane does not sleep before; of lane_finished:
                      // behind its last one; else the clock
  TokenId token = 0;
  // Text that became complete with this token: whole UTF-8 characters, maybe none. Of lane_started what a
  // fork inherits, of lane_finished what was held back.
  std::string text = {};
  bool second_stage = false;                  // of lane_started: the lane of Request::then
  bool forced = false;                        // tag, lane text or pushed text
  std::optional<float> logprob = {};          // of sampled tokens, where the request asks for it
  std::vector<Alternative> top = {};          // likeliest first, Request::top_logprobs of them
  FinishReason finish = FinishReason::none;   // of lane_finished; of group_finished: cancelled or failed
  std::shared_ptr<const PolicyAct> act = {};  // of policy
  // Of prefill, where Request::prompt_logprobs asks for it; null otherwise.
  std::shared_ptr<const std::vector<PromptToken>> prompt = {};
  std::shared_ptr<const ResolvedRequest> resolved = {};  // in the first event of a group: what it runs
  std::shared_ptr<const GroupResult> result = {};        // of group_finished
};

}  // namespace lanerope
