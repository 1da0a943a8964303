// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <future>
#include <optional>
#include <stop_token>
#include <string>

#include "engine/child_process.h"

namespace lanerope::engine {

struct CallOptions {
  std::string command = {};   // run by /bin/sh
  ChildProgram program = {};  // without words: the command
  std::string what = {};      // as messages name it, such as "the verifier"
  double timeout = 30;        // seconds
};

// What the command wrote, or the sentence that says why it is not to be had.
struct CallResult {
  std::string output = {};
  std::string failure = {};
  bool timed_out = false;  // it was cut off: a failure too
};

// Runs the command with `input` on its standard input, and blocks until it ends or is killed, at the time-out
// or when asked to stop, with everything that it started. Never throws.
CallResult run_call(const CallOptions& options, const std::string& input, const std::stop_token& stop = {});

// The same on a thread of its own. When the call goes away before it is done, it is killed.
class ExternalCall {
 public:
  ExternalCall(CallOptions options, std::string input);
  ~ExternalCall() { stop(); }
  ExternalCall(const ExternalCall&) = delete;
  ExternalCall& operator=(const ExternalCall&) = delete;

  // The result, once, waiting at most `patience` for it.
  std::optional<CallResult> poll(std::chrono::milliseconds patience);
  void stop() { stop_.request_stop(); }

 private:
  std::stop_source stop_;
  std::future<CallResult> result_;  // waits for the command when it goes away, so that is stopped first
};

}  // namespace lanerope::engine
