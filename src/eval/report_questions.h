// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "eval/paired_arms.h"
#include "eval/question_file.h"

namespace lanerope::eval {

// What the lanes of one arm say to one question at the largest budget.
struct ReportLane {
  std::string answer = {};  // empty where there is none
  std::string from = {};    // name of an AnswerFrom; empty where it is not known
  bool right = false;
  int32_t length = 0;
};

struct ReportQuestion {
  int64_t index = 0;
  std::string text = {};
  std::string truth = {};
  std::vector<std::vector<ReportLane>> lanes = {};  // [arms][lanes]
};

struct ReportQuestions {
  std::vector<std::string> arms = {};
  std::vector<ReportQuestion> questions = {};  // those that every arm has whole
};

// Long texts are cut: records have all of them.
ReportQuestions report_questions(const PairedArms& arms, std::span<const EvalQuestion> questions,
                                 int32_t budget, bool unfinished);

// As JSON text.
std::string questions_json(const ReportQuestions& questions);

}  // namespace lanerope::eval
