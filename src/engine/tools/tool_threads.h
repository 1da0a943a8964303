// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "lanerope/tool.h"

namespace lanerope::engine {

// What a tool gave, or the sentence that says why it gave nothing.
struct ToolAnswer {
  std::string text = {};
  bool failed = false;
};

// Runs the tool here and now. Never throws.
ToolAnswer run_tool(const Tool& tool, const std::string& arguments, const std::stop_token& stop = {});

// The answer as a lane is given it: UTF-8, without white space at the end, at most so many bytes.
std::string tidied(std::string text, int32_t most_bytes);

// Calls of tools that run beside the steps, a thread each. Whoever does not want an answer any more leaves
// the call to itself: the thread is joined here.
class ToolThreads {
 public:
  class Call {
   public:
    // Once the tool has answered or its time is over.
    std::optional<ToolAnswer> answer();
    void stop() { thread_.request_stop(); }

   private:
    friend class ToolThreads;
    std::string name_;
    double timeout_ = 0;
    std::chrono::steady_clock::time_point deadline_;
    ToolAnswer answer_;
    std::atomic<bool> done_ = false;
    std::jthread thread_;
  };

  ToolThreads() = default;
  ~ToolThreads();
  ToolThreads(const ToolThreads&) = delete;
  ToolThreads& operator=(const ToolThreads&) = delete;

  std::shared_ptr<Call> start(const Tool& tool, const std::string& arguments, double timeout);
  // Until a call is done that was not when it was last waited for, or patience is over.
  void wait(std::chrono::milliseconds patience);

 private:
  std::vector<std::shared_ptr<Call>> calls_;  // that were not done when it was last looked
  std::mutex mutex_;
  std::condition_variable changed_;
  int64_t n_done_ = 0;
  int64_t n_seen_ = 0;
};

}  // namespace lanerope::engine
