// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lanerope/lane_result.h"
#include "lanerope/names.h"
#include "lanerope/policy_act.h"
#include "lanerope/policy_choice.h"
#include "lanerope/request.h"

namespace lanerope {

// The token that a lane drew, by the model's own distribution there: before bias, penalties and temperature.
struct DrawnToken {
  TokenId token = 0;
  float logprob = 0;
  Alternative likeliest = {};
  Alternative second = {};
  double entropy = 0;     // nats
  double confidence = 0;  // negative mean log-probability of the 20 likeliest tokens, as in Certainty
};

// A lane as a policy sees it after a step.
struct LaneStatus {
  FinishReason finish = FinishReason::none;  // none: it still writes
  std::string_view text = {};                // until the lane writes on, or ends
  int32_t start_step = 0;                    // the clock when it joined
  int32_t tokens = 0;                        // that it holds, forced ones included
  int32_t generated = 0;                     // of them, those that were drawn
  int32_t left = 0;                          // tokens that it may still write
  bool forced = false;                       // what it writes next is given already
  double mean_logprob = 0;                   // of those that were drawn
  std::optional<DrawnToken> drawn = {};      // in this step, for policies that read tokens

  bool live() const { return finish == FinishReason::none; }
};

// A running group as a policy sees it after a step. Lanes count from 0.
class GroupStatus {
 public:
  virtual ~GroupStatus() = default;
  virtual const ResolvedRequest& request() const = 0;
  virtual int32_t clock() const = 0;
  virtual int32_t n_lanes() const = 0;  // those included that have ended
  virtual LaneStatus lane(int32_t index) const = 0;
  // What the lane's text answers; of a lane that still writes only what is complete. Read anew each time.
  virtual std::optional<std::string> answer(int32_t lane) const = 0;
  virtual std::vector<Vote> votes() const = 0;  // of all answers, each weighing 1
  // Whether a lane can be added: one is reserved, and the model's context goes on.
  virtual bool takes_lane() const = 0;
};

// What a policy may do, each with its reason, one clause for a person; each is an event. They throw
// InvalidRequest or DoesNotFit where the lane is not there, has ended, or has no room, and that is an event
// too.
class LaneActions {
 public:
  virtual ~LaneActions() = default;
  virtual void retire(int32_t lane, const std::string& reason) = 0;  // its text stays readable
  virtual void push(int32_t lane, const std::string& text, const std::string& reason) = 0;  // forced next
  // The new lane's number. Keys of what a fork's parent wrote are shared, not copied.
  virtual int32_t add(const SpawnOptions& options, const std::string& reason) = 0;
  // Ends the lanes that still write, and with them the group.
  virtual void end(FinishReason how, const std::string& reason) = 0;
  // Tells whoever reads GroupResult::note.
  virtual void note(const std::string& sentence) = 0;
};

// Watches a group step by step and acts. One object a group, called on the engine's thread; what it throws
// ends its group alone. A policy that decides by what it is told alone comes to the same acts under the same
// seed.
class Policy {
 public:
  virtual ~Policy() = default;
  // Whether LaneStatus::drawn is wanted, for which a drawn token's distribution is looked at once more.
  virtual bool reads_tokens() const { return false; }
  // Whether it is asked in the step in which the last lane ends too; lanes that it adds then go on.
  virtual bool outlives_lanes() const { return false; }
  virtual void after_step(const GroupStatus& group, LaneActions& actions) = 0;
};

// A choice with all of its settings, in the order of the table. Throws InvalidRequest, with a sentence, for a
// policy that is not there and for settings that it does not take.
PolicyChoice resolve_policy(const PolicyChoice& choice);

}  // namespace lanerope
