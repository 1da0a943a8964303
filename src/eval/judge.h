// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/external_call.h"
#include "eval/eval_record.h"
#include "eval/question_file.h"

namespace lanerope::eval {

// A command that says whether an answer is right, for answers that no comparison can judge, such as programs.
struct JudgeOptions {
  std::string command = {};  // run by /bin/sh, once a lane
  double timeout = 30;       // seconds a lane; one that takes longer has not passed
};

// What the command says of each lane of a record: whether, reading one JSON line {"lane", "question",
// "answer", "text", "row"} from its standard input, it writes a number above 0. A lane without an answer has
// not passed. The lanes are judged beside one another and beside whatever else runs, each by a process of its
// own that is killed with all that it started at the time-out, or when this goes away; what else a program
// may do is for the command to bound.
class Judgement {
 public:
  Judgement(EvalRecord record, const EvalQuestion& question, const JudgeOptions& options);

  // Whether all has been said, waiting at most `patience` for it. Throws SystemError where the command fails
  // or writes no number.
  bool done(std::chrono::milliseconds patience);
  // With EvalLane::passed of every lane.
  EvalRecord take() { return std::move(record_); }

 private:
  EvalRecord record_;
  std::vector<std::unique_ptr<engine::ExternalCall>> calls_;  // none where there is nothing to judge
  size_t next_ = 0;                                           // the first that may still be out
};

}  // namespace lanerope::eval
