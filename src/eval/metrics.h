// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "eval/bootstrap.h"
#include "eval/paired_arms.h"
#include "eval/question_file.h"
#include "eval/selections.h"
#include "eval/step_times.h"

namespace lanerope::eval {

// How an arm does when each lane may spend `budget` tokens, its tag and its end token included. A lane that
// has not ended by then gives no answer and does not vote, unless MetricOptions::unfinished asks for it.
struct BudgetScore {
  int32_t budget = 0;
  Estimate majority =
      {};                // maj@k: the answer most lanes give is right; ties count for the share of right ones
  Estimate pass = {};    // pass@1: share of lanes that are right
  Estimate oracle = {};  // some lane is right
  double ended = 0;      // share of lanes
  double mean_tokens = 0;   // a lane spends
  double total_tokens = 0;  // all lanes of a question spend together
  double seconds = 0;       // QuestionLanes::seconds_within
};

// Of lanes whose answer was found in one way at the largest budget, how many are right.
struct FromScore {
  AnswerFrom from = AnswerFrom::box;
  int64_t lanes = 0;
  double right = 0;  // of a lane that lists several answers the share that are
};

// The questions whose key of --by has one value.
struct ByScore {
  std::string value = {};  // empty: those without the key
  int64_t questions = 0;
  std::vector<double> majority = {};  // [budgets]
};

struct ArmScore {
  std::string arm = {};
  int64_t questions = 0;
  int32_t lanes = 0;        // N
  int32_t lanes_total = 0;  // of a question
  std::vector<BudgetScore> budgets = {};
  // maj@k minus that of the first arm, question by question, with its interval; [budgets].
  std::vector<Estimate> gain = {};
  std::vector<ByScore> by = {};         // numbers in their order, then words; empty without --by
  std::vector<WayScore> ways = {};      // to choose a lane, at the largest budget; those that could
  std::vector<FromScore> sources = {};  // of answers, at the largest budget; those that occur
  int64_t tokens = 0;                   // of all lanes, up to the largest budget
  ArmTiming timing = {};                // set by add_timing
  std::optional<StepTime> usual_step = {};
  std::optional<double> step_ratio = {};  // to the arm called independent, or else the first
};

struct MetricOptions {
  std::vector<int32_t> budgets = {};  // ascending
  // A lane that is still writing when the budget is spent gives the marked and complete answer that it has
  // written by then, if any.
  bool unfinished = false;
  int32_t resamples = 2000;
  uint64_t seed = 1;
};

// The scores of each arm, in their order; none where no question is whole under all of them.
std::vector<ArmScore> score_arms(const PairedArms& paired, std::span<const EvalQuestion> questions,
                                 const MetricOptions& options);

// Puts what each arm took beside its scores; `timings` one an arm.
void add_timing(std::span<ArmScore> scores, std::span<const ArmTiming> timings);

}  // namespace lanerope::eval
