// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "eval/bootstrap.h"
#include "eval/mcnemar.h"
#include "eval/paired_arms.h"

namespace lanerope::eval {

// A metric under two arms, over the same questions.
struct Contrast {
  Estimate first = {};
  Estimate second = {};
  Estimate difference = {};  // second less first; the interval is of paired resamples
  double second_better = 0;  // share of the resamples in which the difference is above 0
};

// Lanes that a question has, apart from those that a policy added.
struct LanesOf {
  int32_t first = 1;
  int32_t second = 1;
};

// What an arm needs for an accuracy, by maj@k.
struct Price {
  int32_t budget = 0;       // the smallest that reaches it: tokens that each lane may spend
  double total_tokens = 0;  // of all lanes of a question, mean
  double seconds = 0;       // of a question, mean: QuestionLanes::seconds_within
};

struct PricePair {
  double accuracy = 0;
  std::optional<Price> first = {};  // nothing where the arm does not reach it
  std::optional<Price> second = {};
};

// maj@k by budget.
struct CurveAt {
  Price price = {};
  double majority = 0;
};

struct Comparison {
  int64_t questions = 0;
  int32_t budget = 0;
  LanesOf lanes = {};
  Contrast majority = {};
  Contrast pass = {};
  Contrast oracle = {};
  McNemar mcnemar = {};
  std::vector<PricePair> prices = {};
  std::vector<CurveAt> first_curve = {};
  std::vector<CurveAt> second_curve = {};
};

struct ComparisonOptions {
  int32_t budget = 0;
  bool unfinished = false;              // as MetricOptions::unfinished
  std::vector<double> accuracies = {};  // empty: 10 %, 20 %, ... and the best that both arms reach
  int32_t resamples = 2000;
  uint64_t seed = 1;
};

// `arms` holds two, and at least one question.
Comparison compare_arms(const PairedArms& arms, const ComparisonOptions& options);

}  // namespace lanerope::eval
