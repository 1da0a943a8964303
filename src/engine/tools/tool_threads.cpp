// SPDX-License-Identifier: Apache-2.0
#include "engine/tools/tool_threads.h"

#include <algorithm>
#include <exception>

#include "text/utf8.h"

namespace lanerope::engine {

namespace {

std::string seconds(double value) {
  std::string text = std::to_string(value);
  text.resize(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text + (text == "1" ? " second" : " seconds");
}

}  // namespace

ToolAnswer run_tool(const Tool& tool, const std::string& arguments, const std::stop_token& stop) {
  try {
    return {.text = tool.run(arguments, stop)};
  } catch (const std::exception& error) {
    return {.text = error.what(), .failed = true};
  } catch (...) {
    return {.text = tool.name + " failed", .failed = true};
  }
}

std::string tidied(std::string text, int32_t most_bytes) {
  text::Utf8Assembler assembler;
  std::string good = assembler.push(text) + assembler.flush();
  good.resize(good.find_last_not_of(" \t\r\n") + 1);
  const auto most = static_cast<size_t>(most_bytes);
  if (good.size() <= most) return good;
  constexpr std::string_view mark = " [cut]";
  good.resize(most - std::min(most, mark.size()));
  good.resize(text::utf8_valid_prefix(good));
  return good + std::string(mark);
}

std::optional<ToolAnswer> ToolThreads::Call::answer() {
  if (done_.load(std::memory_order_acquire)) return answer_;
  if (std::chrono::steady_clock::now() < deadline_) return std::nullopt;
  stop();
  return ToolAnswer{.text = name_ + " took longer than " + seconds(timeout_) + " and was cut off",
                    .failed = true};
}

std::shared_ptr<ToolThreads::Call> ToolThreads::start(const Tool& tool, const std::string& arguments,
                                                      double timeout) {
  std::erase_if(calls_, [](const auto& call) { return call->done_.load(std::memory_order_acquire); });
  auto call = std::make_shared<Call>();
  call->name_ = tool.name;
  call->timeout_ = timeout;
  const std::chrono::duration<double> longest(std::min(timeout, 86400.0));
  call->deadline_ = std::chrono::steady_clock::now() +
                    std::chrono::duration_cast<std::chrono::steady_clock::duration>(longest);
  // The thread's own reference would be its owner's last; this object outlives it.
  Call* of = call.get();
  calls_.push_back(call);
  call->thread_ = std::jthread([this, of, tool, arguments](const std::stop_token& stop) {
    of->answer_ = run_tool(tool, arguments, stop);
    {
      const std::scoped_lock lock(mutex_);
      of->done_.store(true, std::memory_order_release);
      ++n_done_;
    }
    changed_.notify_all();
  });
  return call;
}

void ToolThreads::wait(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, patience, [this] { return n_done_ != n_seen_; });
  n_seen_ = n_done_;
}

ToolThreads::~ToolThreads() {
  for (const auto& call : calls_) call->stop();
  for (const auto& call : calls_) {
    if (call->thread_.joinable()) call->thread_.join();
  }
}

}  // namespace lanerope::engine
