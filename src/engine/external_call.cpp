// SPDX-License-Identifier: Apache-2.0
#include "engine/external_call.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <string_view>
#include <thread>

extern char** environ;

namespace lanerope::engine {

namespace {

using Clock = std::chrono::steady_clock;
constexpr size_t most_output = 1 << 20;  // bytes; a command that writes more is not listened to

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

struct Pipes {
  Descriptor& to_child;
  Descriptor& from_child;
};

constexpr int look_again = 50;  // milliseconds

struct Patience {
  Clock::time_point deadline;
  std::stop_token stop;
  bool over() const { return stop.stop_requested() || Clock::now() >= deadline; }
};

// The child in a process group of its own, so that all of it can be killed.
pid_t start(const std::string& command, int child_in, int child_out) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&actions, child_in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, child_out, STDOUT_FILENO);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
  posix_spawnattr_setpgroup(&attributes, 0);
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  std::array<char*, 4> arguments = {const_cast<char*>("sh"), const_cast<char*>("-c"),
                                    const_cast<char*>(command.c_str()), nullptr};
  pid_t child = -1;
  if (posix_spawn(&child, "/bin/sh", &actions, &attributes, arguments.data(), environ) != 0) child = -1;
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return child;
}

// Writes all of `input` and reads until the other end closes. False at the deadline or when it writes too
// much.
bool exchange(Pipes& pipes, std::string_view input, const Patience& patience, std::string& output) {
  auto& [to_child, from_child] = pipes;
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

// Waits for the child; false if it does not end before the deadline.
bool wait_until(pid_t child, const Patience& patience, int& status) {
  while (waitpid(child, &status, WNOHANG) == 0) {
    if (patience.over()) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace

CallResult run_call(const CallOptions& options, const std::string& input, const std::stop_token& stop) {
  std::array<int, 2> in;
  std::array<int, 2> out;
  if (pipe2(in.data(), O_CLOEXEC) != 0) return {.failure = options.what + " could not be started"};
  Descriptor child_in(in[0]);
  Descriptor to_child(in[1]);
  if (pipe2(out.data(), O_CLOEXEC) != 0) return {.failure = options.what + " could not be started"};
  Descriptor from_child(out[0]);
  Descriptor child_out(out[1]);
  fcntl(to_child.get(), F_SETFL, O_NONBLOCK);

  const std::chrono::duration<double> longest(std::min(options.timeout, 86400.0));
  const Patience patience{.deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(longest),
                          .stop = stop};
  Pipes pipes{.to_child = to_child, .from_child = from_child};
  const pid_t child = start(options.command, child_in.get(), child_out.get());
  if (child < 0) return {.failure = options.what + " could not be started"};
  child_in.close();
  child_out.close();

  // A reader that has gone away must not kill this process.
  sigset_t pipe_signal;
  sigset_t old_mask;
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe_signal, &old_mask);
  std::string output;
  int status = 0;
  const bool ended = exchange(pipes, input, patience, output) && wait_until(child, patience, status);
  const timespec now = {};
  while (sigtimedwait(&pipe_signal, nullptr, &now) > 0) continue;
  pthread_sigmask(SIG_SETMASK, &old_mask, nullptr);

  if (!ended) {
    kill(-child, SIGKILL);
    waitpid(child, &status, 0);
    return {.failure = options.what + " took too long and was cut off", .timed_out = true};
  }
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
