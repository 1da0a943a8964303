// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "eval/arm.h"
#include "eval/eval_record.h"
#include "eval/judge.h"
#include "eval/question_file.h"
#include "eval/record_file.h"
#include "eval/step_times.h"
#include "lanerope/engine.h"

namespace lanerope::eval {

struct EvalPlan {
  int32_t lanes_total = 4;  // lanes that a question gets in all: lanes_total / N groups of N
  int32_t budget = 256;     // the largest that is looked at; smaller ones are cut out of the same samples
  Sampling sampling = {.temperature = 0.6F, .top_k = 0, .top_p = 0.95F, .min_p = 0};
  uint64_t seed = 1;
  int32_t parallel = 32;          // lanes at once
  int32_t certainty_window = 64;  // EvalLane::certainty, as Request::certainty_window; 0: none
  std::string verifier = {};      // command that scores lanes, as Selection::verifier_command; empty: none
  JudgeOptions judge = {};        // where its command is not empty, it says which lanes are right
  std::vector<std::string> stop = {};
  // The prompt of a question.
  std::function<Prompt(const EvalQuestion&)> prompt = {};
  std::function<void(const ResolvedRequest&)> resolved =
      {};                              // told each request before it runs; may be empty
  std::function<bool()> stopped = {};  // asked before each step; may be empty
};

// Lanes that a question gets under the arm. Throws InvalidRequest where N does not divide them.
int32_t total_lanes(const Arm& arm, const EvalPlan& plan);

// Throws InvalidRequest where the arm cannot be run as the plan has it.
void check_arm(const Arm& arm, const EvalPlan& plan);

// What the arm's texts, and what is measured of them, follow from, apart from files and prompts.
RunSettings settings_of(const Arm& arm, const EvalPlan& plan);

// What is asked of an arm; it must outlive the call.
struct ArmTask {
  const Arm& arm;
  std::span<const EvalQuestion> questions = {};
  std::span<const EvalRecord> done = {};  // by any arm, before
};

// Samples the groups of the arm that are not done, each handed to `sink` once it has ended and is
// judged, in any order. Judging takes none of their seconds; a group that waits for it when the evaluation is
// stopped is not handed on.
// The random numbers of a group follow from the seed, its question and its number alone. Returns what
// it took. Throws what Engine::submit throws.
ArmTiming evaluate_arm(const std::shared_ptr<const Model>& model, const ArmTask& task, const EvalPlan& plan,
                       const std::function<void(const EvalRecord&)>& sink);

}  // namespace lanerope::eval
