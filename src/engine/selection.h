// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "lanerope/request.h"
#include "lanerope/result.h"

namespace lanerope::engine {

// Which lane of a finished group is the answer, and how sure the method is of it.
struct Selected {
  int32_t lane = -1;
  Confidence confidence = {};
};

// exp of the lane's mean log-probability.
Confidence mean_probability(const LaneResult& lane);

// What the lane's vote weighs; 0 where it was not measured.
double vote_weight(const LaneResult& lane, VoteWeight weight);

// Votes of lanes that gave an answer, heaviest first; where they weigh alike that of more
// lanes, then the one that was seen first. Answers that are equal (answers_equal) are one, under the spelling
// that was seen first.
std::vector<Vote> count_votes(const std::vector<LaneResult>& lanes, VoteWeight weight = VoteWeight::equal);

// For every kind but `verifier`. `finish_order` has the lanes in the order in which they ended.
Selected select(const Selection& selection, const std::vector<LaneResult>& lanes,
                const std::vector<int32_t>& finish_order);

// By the scores of a verifier, one a lane: the highest, the first of equals. The confidence is the score
// itself where all scores lie in [0, 1], otherwise its share of a soft-max over the lanes.
Selected select_by_scores(const std::vector<double>& scores);

}  // namespace lanerope::engine
