// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace lanerope::eval {

// One question of a test set.
struct EvalQuestion {
  std::string text = {};
  std::string truth = {};  // the answer alone
  std::string by = {};  // the value of QuestionFileOptions::by, as it is written; empty where there is none
};

struct QuestionFileOptions {
  int64_t limit = 0;    // questions at most; 0: all
  std::string by = {};  // a key by whose values the scores are told apart as well; empty: they are not
};

// Reads JSON Lines with "question" (or "prompt", "problem") and "answer" (or "gold", "solution"), and
// the key `by`. An answer that is a whole solution, as GSM8K's are, counts for what it marks (\boxed{},
// ####). Throws SystemError where the file cannot be read, BadFile naming
// the line where one is of another kind, InvalidRequest where there is no question, or none with `by`.
std::vector<EvalQuestion> read_questions(const std::string& file, const QuestionFileOptions& options);

}  // namespace lanerope::eval
