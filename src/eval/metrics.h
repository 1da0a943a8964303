// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "eval/eval_record.h"
#include "eval/question_file.h"

namespace lanerope {

// A share with its 95 % interval: percentiles of a bootstrap over questions.
struct Share {
  double value = 0;
  double low = 0;
  double high = 0;
};

// How an arm does when each lane may spend `budget` tokens, its tag and its end token included. A lane that
// has not ended by then gives no answer and does not vote.
struct BudgetScore {
  int32_t budget = 0;
  Share majority;    // maj@k: the answer most lanes give is right; ties count for the share of right ones
  Share pass;        // pass@1: share of lanes that are right
  Share oracle;      // some lane is right
  double ended = 0;  // share of lanes
  double mean_tokens = 0;  // a lane spends
};

// Of claims of about the same confidence, how many are right.
struct ReliabilityBin {
  double confidence = 0;  // mean
  double right = 0;       // share
  int64_t count = 0;
};

// Confidence is the share of a question's lanes that give the majority's answer, at the largest budget.
struct Calibration {
  double error = 0;  // expected calibration error over ten bins
  std::vector<ReliabilityBin> bins = {};
};

struct PartsScore {
  int32_t parts = 0;
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
  std::vector<Share> gain = {};
  std::vector<PartsScore> parts = {};
  Calibration calibration = {};
  double seconds = 0;  // of decoding, summed over groups
  int64_t tokens = 0;
};

struct MetricOptions {
  std::vector<int32_t> budgets = {};
  int32_t resamples = 2000;
  uint64_t seed = 1;
};

// The scores of each arm of `arms`, in their order, over the questions that every one of them has whole.
std::vector<ArmScore> score_arms(std::span<const std::string> arms, std::span<const EvalRecord> records,
                                 std::span<const EvalQuestion> questions, const MetricOptions& options);

// maj@k of answers that may be missing: 1 if the class most of them belong to is right, a share of it for a
// tie, 0 where there is none.
double majority(std::span<const std::string> answers, const std::string& truth);

}  // namespace lanerope
