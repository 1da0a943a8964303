// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "eval/eval_record.h"
#include "eval/question_file.h"

namespace lanerope::eval {

// A command that says whether an answer is right, for answers that no comparison can judge, such as programs.
struct JudgeOptions {
  std::string command = {};  // run by /bin/sh, once a lane
  double timeout = 30;       // seconds a lane; one that takes longer has not passed
};

// Sets EvalLane::passed of every lane: whether the command, which reads one JSON line {"lane", "question",
// "answer", "text", "row"} from its standard input, writes a number above 0. A lane without an answer has not
// passed. The lanes are judged beside one another, each by a process of its own that is killed with all that
// it started at the time-out; what else a program may do is for the command to bound. Throws SystemError
// where it fails or writes no number.
void judge(EvalRecord& record, const EvalQuestion& question, const JudgeOptions& options);

}  // namespace lanerope::eval
