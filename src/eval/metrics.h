// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "eval/bootstrap.h"
#include "eval/calibration.h"
#include "eval/eval_record.h"
#include "eval/question_file.h"
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
  double mean_tokens = 0;  // a lane spends
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
  std::vector<ByScore> by = {};  // numbers in their order, then words; empty without --by
  // At the largest budget. The answer of the majority claims the share of lanes that give it; the answer of
  // the ended lane with the highest mean log-probability claims the exponential of that.
  Calibration by_votes = {};
  Calibration by_logprob = {};
  int64_t tokens = 0;     // of all lanes, up to the largest budget
  ArmTiming timing = {};  // set by add_timing
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

// The scores of each arm of `arms`, in their order, over the questions that every one of them has whole.
std::vector<ArmScore> score_arms(std::span<const std::string> arms, std::span<const EvalRecord> records,
                                 std::span<const EvalQuestion> questions, const MetricOptions& options);

// Puts what each arm took beside its scores; `timings` one an arm.
void add_timing(std::span<ArmScore> scores, std::span<const ArmTiming> timings);

// maj@k of answers that may be missing: 1 if the class most of them belong to is right, a share of it for a
// tie, 0 where there is none.
double majority(std::span<const std::string> answers, const std::string& truth);

}  // namespace lanerope::eval
