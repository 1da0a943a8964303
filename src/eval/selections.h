// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "eval/bootstrap.h"
#include "eval/question_lanes.h"
#include "eval/reliability.h"
#include "lanerope/request.h"

namespace lanerope::eval {

// A way to choose among the lanes of a question, as `run` has it.
struct Way {
  SelectionKind select = SelectionKind::vote;
  VoteWeight weight = VoteWeight::equal;
  auto operator<=>(const Way&) const = default;
};

// "vote", "vote by self-certainty", "logprob".
std::string name_of(const Way& way);

// All ways, the plain vote first.
std::vector<Way> all_ways();

// What one way makes of a question's lanes within the budget, by the engine's own rule: whether what it
// chooses is right, and with what confidence. Nothing where it cannot choose: no votes, no scores of a
// verifier, certainty that was not measured.
std::optional<Claim> claim_of(const Way& way, const QuestionLanes& question, std::span<const LaneVote> votes);

// How a way does over all questions.
struct WayScore {
  Way way = {};
  Estimate right = {};  // of all questions; one without a choice counts as wrong
  Reliability reliability = {};
};

// `claims`: one a question.
WayScore score_way(const Way& way, std::span<const std::optional<Claim>> claims, const Bootstrap& bootstrap);

}  // namespace lanerope::eval
