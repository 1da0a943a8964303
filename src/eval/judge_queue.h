// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <optional>
#include <utility>

#include "eval/judge.h"

namespace lanerope::eval {

// Records on their way to `sink`, past the command that judges them, if there is one: one after the other,
// while more are sampled.
class JudgeQueue {
 public:
  using Sink = std::function<void(const EvalRecord&)>;
  JudgeQueue(JudgeOptions options, Sink sink) : options_(std::move(options)), sink_(std::move(sink)) {}

  // Of a question that stays. Waits for nothing.
  void add(EvalRecord record, const EvalQuestion& question);
  // Hands on what is judged by now. Throws as Judgement::done.
  void poll();
  // The same until at most `left` are on their way; false where `stopped`, which may be empty, said so first.
  bool wait(size_t left, const std::function<bool()>& stopped);
  size_t size() const { return waiting_.size() + (judged_ ? 1 : 0); }

 private:
  struct Waiting {
    EvalRecord record = {};
    const EvalQuestion* question = nullptr;
  };
  // Whether one was handed on.
  bool advance(std::chrono::milliseconds patience);

  JudgeOptions options_;
  Sink sink_;
  std::deque<Waiting> waiting_ = {};
  std::optional<Judgement> judged_ = {};
};

}  // namespace lanerope::eval
