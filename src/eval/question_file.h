// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "eval/question_lanes.h"
#include "eval/question_reader.h"

namespace lanerope::eval {

// One question of a test set.
struct EvalQuestion {
  std::string text = {};
  std::string truth = {};  // the answer alone
  std::string by = {};     // the value of ReadOptions::by, as it is written; empty where there is none
  AnswerKind kind = AnswerKind::any;
  std::vector<std::string> parts =
      {};                     // of a question that asks for several answers: each; `truth` lists them
  std::string solution = {};  // the answer as the set has it, worked out or not
  nlohmann::json row = {};    // all that the set says
};

struct ReadOptions {
  QuestionKeys keys = {};
  std::optional<AnswerKind> kind = {};  // unset: as each row looks
  int64_t limit = 0;                    // questions at most; 0: all
  std::string by = {};  // a key by whose values the scores are told apart as well; empty: they are not
};

// What their answers are measured against, in their order.
std::vector<Truth> truths_of(std::span<const EvalQuestion> questions);

// Reads a file or a folder of any format that read_rows knows, and of any set that read_row knows. An answer
// that is a whole solution, as GSM8K's are, counts for what it marks (\boxed{}, ####). Throws what they
// throw, InvalidRequest where there are no questions, or none with the key `by`.
std::vector<EvalQuestion> read_questions(const std::string& path, const ReadOptions& options);

}  // namespace lanerope::eval
