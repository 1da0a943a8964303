// SPDX-License-Identifier: Apache-2.0
#include "engine/external_call.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

#include "engine/child_process.h"

namespace lanerope::engine {

namespace {

using Clock = std::chrono::steady_clock;
constexpr size_t most_output = 1 << 20;  // bytes; a command that writes more is not listened to

constexpr int look_again = 50;  // milliseconds

struct Patience {
  Clock::time_point deadline;
  std::stop_token stop;
  bool over() const { return stop.stop_requested() || Clock::now() >= deadline; }
};

// Writes all of `input` and reads until the other end closes. False at the deadline or when it writes too
// much.
bool exchange(ChildProcess& child, std::string_view input, const Patience& patience, std::string& output) {
  Descriptor& to_child = child.to();
  Descriptor& from_child = child.from();
  while (from_child.open()) {
    if (patience.over()) return false;
    if (input.empty()) to_child.close();
    std::array<pollfd, 2> waits = {pollfd{.fd = from_child.get(), .events = POLLIN, .revents = 0},
                                   pollfd{.fd = to_child.get(), .events = POLLOUT, .revents = 0}};
    if (poll(waits.data(), to_child.open() ? 2 : 1, look_again) < 0) continue;
    if (to_child.open() && waits[1].revents != 0) {
      const ssize_t written = write(to_child.get(), input.data(), input.size());
      if (written > 0) input.remove_prefix(static_cast<size_t>(written));
      if (written < 0 && errno != EAGAIN) input = {};  // it does not want to read: its affair
    }
    if (waits[0].revents != 0) {
      std::array<char, 4096> buffer;
      const ssize_t got = read(from_child.get(), buffer.data(), buffer.size());
      if (got > 0) output.append(buffer.data(), static_cast<size_t>(got));
      if (got == 0) from_child.close();
      if (output.size() > most_output) return false;
    }
  }
  return true;
}

}  // namespace

CallResult run_call(const CallOptions& options, const std::string& input, const std::stop_token& stop) {
  const std::chrono::duration<double> longest(std::min(options.timeout, 86400.0));
  const Patience patience{.deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(longest),
                          .stop = stop};
  const ChildProgram program =
      options.program.words.empty() ? shell_program(options.command) : options.program;
  ChildProcess child(program);
  if (!child.running()) return {.failure = options.what + " could not be started"};

  const NoPipeSignal no_signal;
  std::string output;
  int status = 0;
  const bool ended =
      exchange(child, input, patience, output) && child.wait([&] { return patience.over(); }, status);
  if (!ended) return {.failure = options.what + " took too long and was cut off", .timed_out = true};
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return {.failure = options.what + " failed (" +
                       (WIFEXITED(status) ? "exit status " + std::to_string(WEXITSTATUS(status))
                                          : "signal " + std::to_string(WTERMSIG(status))) +
                       ")"};
  }
  return {.output = std::move(output)};
}

ExternalCall::ExternalCall(CallOptions options, std::string input)
    : result_(std::async(std::launch::async,
                         [options = std::move(options), input = std::move(input), stop = stop_.get_token()] {
                           return run_call(options, input, stop);
                         })) {}

std::optional<CallResult> ExternalCall::poll(std::chrono::milliseconds patience) {
  if (!result_.valid() || result_.wait_for(patience) != std::future_status::ready) return std::nullopt;
  return result_.get();
}

}  // namespace lanerope::engine
