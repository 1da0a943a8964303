// SPDX-License-Identifier: Apache-2.0
#include "engine/policies/command.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

#include "engine/policy_lines.h"
#include "lanerope/errors.h"

namespace lanerope::engine {

namespace {

using Clock = std::chrono::steady_clock;
constexpr size_t longest_line = 1 << 20;            // bytes
constexpr std::chrono::milliseconds to_leave{500};  // for it to end once nothing more comes

Clock::time_point after(double seconds) {
  const std::chrono::duration<double> time(std::min(seconds, 86400.0));
  return Clock::now() + std::chrono::duration_cast<Clock::duration>(time);
}

int milliseconds_until(Clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return static_cast<int>(std::clamp<int64_t>(left + 1, 0, 1000));
}

}  // namespace

CommandPolicy::~CommandPolicy() {
  if (child_ == nullptr || !child_->running()) return;
  child_->to().close();
  int status = 0;
  const Clock::time_point deadline = Clock::now() + to_leave;
  child_->wait([deadline] { return Clock::now() >= deadline; }, status);
}

std::string CommandPolicy::exchange(std::string lines) {
  const NoPipeSignal no_signal;
  const Clock::time_point deadline = after(command_.timeout);
  std::string_view rest = lines;
  while (true) {
    const size_t end = unread_.find('\n');
    if (end != std::string::npos && rest.empty()) {
      std::string line = unread_.substr(0, end);
      unread_.erase(0, end + 1);
      return line;
    }
    if (unread_.size() > longest_line) throw SystemError("wrote a line that is too long");
    if (Clock::now() >= deadline) throw SystemError("took too long and was cut off");
    std::array<pollfd, 2> waits = {pollfd{.fd = child_->from().get(), .events = POLLIN, .revents = 0},
                                   pollfd{.fd = child_->to().get(), .events = POLLOUT, .revents = 0}};
    if (poll(waits.data(), rest.empty() ? 1 : 2, milliseconds_until(deadline)) < 0) continue;
    if (!rest.empty() && waits[1].revents != 0) {
      const ssize_t written = write(child_->to().get(), rest.data(), rest.size());
      if (written > 0) rest.remove_prefix(static_cast<size_t>(written));
      if (written < 0 && errno != EAGAIN) throw SystemError("ended");
    }
    if (waits[0].revents != 0) {
      std::array<char, 4096> buffer;
      const ssize_t got = read(child_->from().get(), buffer.data(), buffer.size());
      if (got > 0) unread_.append(buffer.data(), static_cast<size_t>(got));
      if (got == 0) throw SystemError("ended");
    }
  }
}

void CommandPolicy::act(const std::string& line, LaneActions& actions) {
  for (AskedAct& asked : read_acts(line)) {
    PolicyAct& act = asked.act;
    try {
      switch (act.kind) {
        case ActKind::retire:
          actions.retire(act.lane, act.reason);
          break;
        case ActKind::push:
          actions.push(act.lane, act.text, act.reason);
          break;
        case ActKind::fork:
        case ActKind::spawn:
          actions.add({.parent = act.parent, .fork_step = asked.fork_step, .text = act.text}, act.reason);
          break;
        case ActKind::end:
          actions.end(FinishReason::retired, act.reason);
          break;
      }
    } catch (const InvalidRequest& refusal) {
      act.refused = refusal.what();
      refused_.push_back(act);
    } catch (const DoesNotFit& refusal) {
      act.refused = refusal.what();
      refused_.push_back(act);
    }
  }
}

void CommandPolicy::after_step(const GroupStatus& group, LaneActions& actions) {
  if (failed_) return;
  try {
    std::string lines;
    if (child_ == nullptr) {
      child_ = std::make_unique<ChildProcess>(shell_program(command_.command));
      if (!child_->running()) throw SystemError("could not be started");
      lines = start_line(group.request());
    }
    lines += step_line(group, shown_, refused_);
    refused_.clear();
    act(exchange(std::move(lines)), actions);
  } catch (const SystemError& error) {
    failed_ = true;
    actions.note("the policy command " + std::string(error.what()) + "; the group went on without it");
  } catch (const InvalidRequest& error) {
    failed_ = true;
    actions.note("the policy command wrote " + std::string(error.what()) + "; the group went on without it");
  }
  if (failed_) child_.reset();
}

}  // namespace lanerope::engine
