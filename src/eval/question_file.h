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
  int32_t parts = 0;       // 0 where the set does not say
};

// Reads JSON Lines with "question" (or "prompt", "problem") and "answer" (or "gold", "solution"), and "parts"
// where it is there. An answer that is a whole solution, as GSM8K's are, counts for what it marks (\boxed{},
// ####). At most `limit` questions; 0: all. Throws SystemError where the file cannot be read, BadFile naming
// the line where one is of another kind, InvalidRequest where there is none.
std::vector<EvalQuestion> read_questions(const std::string& file, int64_t limit);

}  // namespace lanerope::eval
