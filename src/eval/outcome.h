// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "eval/paired_arms.h"
#include "eval/question_lanes.h"

namespace lanerope::eval {

// Of so many answers, so many are right.
struct Tally {
  int64_t right = 0;
  int64_t of = 1;
  double share() const { return static_cast<double>(right) / static_cast<double>(of); }
};

// How one question went under one arm, each lane having so much to spend. Where the question asks for several
// answers, majority and oracle are the mean over these, and each of a lane's answers counts by itself.
struct Outcome {
  double majority = 0;
  double pass = 0;  // the share of `answers`
  double oracle = 0;
  double ended = 0;    // share of lanes
  double tokens = 0;   // of all lanes
  double seconds = 0;  // QuestionLanes::seconds_within
  Tally answers = {};  // one a lane, or one a lane and place
};

// As QuestionLanes::within. At least one lane.
Outcome outcome_of(const QuestionLanes& question, int32_t budget, bool unfinished);

// One a question.
std::vector<Outcome> outcomes_of(const PairedArm& arm, int32_t budget, bool unfinished);
std::vector<double> column_of(std::span<const Outcome> outcomes, double Outcome::* member);

}  // namespace lanerope::eval
