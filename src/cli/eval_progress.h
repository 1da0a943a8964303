// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <set>
#include <span>
#include <string>

#include "eval/eval_record.h"
#include "eval/question_lanes.h"

namespace lanerope::cli {

// Tells on standard error how far an arm of an evaluation is: groups, pass@1 so far, time left; often on a
// terminal, once a minute elsewhere. Warns once where the first 20 questions, or all of fewer, give no
// answer at all.
class EvalProgress {
 public:
  struct Options {
    std::string arm = {};
    int64_t groups = 0;  // in all
    std::span<const eval::Truth> truths = {};
  };
  explicit EvalProgress(const Options& options) : options_(options) {}

  // A group that an earlier run of the program has finished.
  void add_earlier(const eval::EvalRecord& record);
  // One that has finished now.
  void add(const eval::EvalRecord& record);

  int64_t groups() const { return done_; }

 private:
  using Clock = std::chrono::steady_clock;
  void count(const eval::EvalRecord& record);
  void warn(const eval::EvalRecord& record);
  std::string text() const;

  Options options_;
  int64_t done_ = 0;
  int64_t lanes_ = 0;
  double right_ = 0;
  int64_t done_now_ = 0;
  std::set<int64_t> unanswered_ = {};  // questions, as long as none has an answer
  bool answered_ = false;
  bool warned_ = false;
  Clock::time_point start_ = Clock::now();
  Clock::time_point shown_ = Clock::now();
};

// "4 min", "1 h 20 min", "25 s".
std::string duration_text(double seconds);

}  // namespace lanerope::cli
