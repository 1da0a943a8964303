// SPDX-License-Identifier: Apache-2.0
#include "eval/judge_queue.h"

namespace lanerope::eval {

void JudgeQueue::add(EvalRecord record, const EvalQuestion& question) {
  if (options_.command.empty()) return sink_(record);
  waiting_.push_back({.record = std::move(record), .question = &question});
}

void JudgeQueue::poll() {
  while (advance(std::chrono::milliseconds(0))) {
  }
}

bool JudgeQueue::wait(size_t left, const std::function<bool()>& stopped) {
  constexpr std::chrono::milliseconds look_again(50);
  while (size() > left) {
    if (stopped && stopped()) return false;
    advance(look_again);
  }
  return true;
}

bool JudgeQueue::advance(std::chrono::milliseconds patience) {
  if (!judged_ && !waiting_.empty()) {
    judged_.emplace(std::move(waiting_.front().record), *waiting_.front().question, options_);
    waiting_.pop_front();
  }
  if (!judged_ || !judged_->done(patience)) return false;
  const EvalRecord record = judged_->take();
  judged_.reset();
  sink_(record);
  return true;
}

}  // namespace lanerope::eval
