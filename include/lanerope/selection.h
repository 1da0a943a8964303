// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "lanerope/names.h"

namespace lanerope {

// How the lane that is the answer is chosen once all lanes have ended. Where vote or first find none it is
// done by logprob, where a verifier fails by vote, and GroupResult::note says so.
enum class SelectionKind {
  none,      // all lanes are the answer
  vote,      // the answer with most votes, each as heavy as Selection::weight says
  logprob,   // the lane with the highest mean log-probability
  verifier,  // the lane that an external command scores highest
  first,     // the lane that ends first by itself
  then,      // the lane of Request::then
};
template <>
std::span<const Named<SelectionKind>> names();

// What the vote of a lane weighs.
enum class VoteWeight {
  equal,           // 1: the majority
  logprob,         // exp of its mean log-probability
  self_certainty,  // Certainty::self_certainty
  lowest_window,   // Certainty::lowest_window
};
template <>
std::span<const Named<VoteWeight>> names();

struct CalibrationCurve;  // lanerope/calibration.h

// How a group comes to its answer.
struct Selection {
  SelectionKind kind = SelectionKind::vote;
  // Of `vote`. Of answers whose votes weigh alike the one that more lanes gave is taken, then the one that
  // the lane of the lowest number gave.
  VoteWeight weight = VoteWeight::equal;
  // Ends the group as soon as this many lanes have given the same answer; 0 means never.
  int32_t consensus = 0;
  // Of `verifier`; empty: RequestDefaults::verifier. Run by /bin/sh; reads one JSON line a lane {"lane",
  // "prompt", "text", "answer"} from its standard input and writes one number a line, in the same order.
  std::string verifier_command = {};
  double verifier_timeout = 30;  // seconds
  // Makes the confidence of this very selection a calibrated one; another selection, or another number of
  // lanes than it was fitted for, is refused. Null: none.
  std::shared_ptr<const CalibrationCurve> calibration = {};
};

// One more lane that begins when all others have ended and reads what they wrote: the group's answer is its
// text (docs/couplings.md).
struct SecondStage {
  // What it is told behind the lanes' texts: the next turn of the conversation where the prompt is messages
  // for a chat template, else a text that goes on. "{n}" becomes the number of lanes.
  std::string text = {};
  std::optional<int32_t> budget = {};  // tokens that it may write; unset: that of a lane
};

}  // namespace lanerope
