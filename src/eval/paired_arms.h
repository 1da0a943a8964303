// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "eval/eval_record.h"
#include "eval/question_lanes.h"

namespace lanerope::eval {

// An arm's lanes of the questions that are looked at.
struct PairedArm {
  std::string name = {};
  int32_t lanes = 0;                          // N
  int32_t lanes_total = 0;                    // of a question
  int64_t tokens = 0;                         // of all records of the arm
  std::vector<QuestionLanes> questions = {};  // as PairedArms::questions
};

// Several arms over the same questions: those that every arm has whole, with as many lanes as the arm has
// most. Lanes that a policy added are counted in none of these numbers.
struct PairedArms {
  std::vector<int64_t> questions = {};  // indices in the question file, ascending
  std::vector<PairedArm> arms = {};     // as asked for
};

// `truths` has those of the question file. Points into the records, which must stay.
PairedArms pair_arms(std::span<const std::string> arms, std::span<const EvalRecord> records,
                     std::span<const Truth> truths);

}  // namespace lanerope::eval
