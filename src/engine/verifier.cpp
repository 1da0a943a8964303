// SPDX-License-Identifier: Apache-2.0
#include "engine/verifier.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstring>
#include <nlohmann/json.hpp>
#include <thread>

extern char** environ;

namespace lanerope::engine {

namespace {

using Clock = std::chrono::steady_clock;
constexpr size_t most_output = 1 << 20;  // bytes; a verifier that writes more is not one

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

std::string input_lines(const std::string& prompt, const std::vector<LaneResult>& lanes) {
  std::string lines;
  for (size_t m = 0; m < lanes.size(); ++m) {
    const nlohmann::json line = {
        {"lane", m},
        {"prompt", prompt},
        {"text", lanes[m].text},
        {"answer", lanes[m].answer ? nlohmann::json(*lanes[m].answer) : nlohmann::json()}};
    lines += line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  }
  return lines;
}

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

Verdict read_scores(const std::string& output, size_t n_lanes) {
  Verdict verdict;
  size_t at = 0;
  while (at < output.size()) {
    const size_t end = std::min(output.find('\n', at), output.size());
    const std::string line = output.substr(at, end - at);
    at = end + 1;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    char* rest = nullptr;
    const double score = std::strtod(line.c_str(), &rest);
    if (rest == line.c_str() || !std::isfinite(score)) {
      return {.scores = {}, .failure = "the verifier wrote a line that is not a number"};
    }
    verdict.scores.push_back(score);
  }
  if (verdict.scores.size() != n_lanes) {
    return {.scores = {},
            .failure = "the verifier wrote " + std::to_string(verdict.scores.size()) + " scores for " +
                       std::to_string(n_lanes) + " lanes"};
  }
  return verdict;
}

}  // namespace

Verdict run_verifier(const VerifierOptions& options, const std::vector<LaneResult>& lanes) {
  std::array<int, 2> in;
  std::array<int, 2> out;
  if (pipe2(in.data(), O_CLOEXEC) != 0) return {.scores = {}, .failure = "the verifier could not be started"};
  Descriptor child_in(in[0]);
  Descriptor to_child(in[1]);
  if (pipe2(out.data(), O_CLOEXEC) != 0)
    return {.scores = {}, .failure = "the verifier could not be started"};
  Descriptor from_child(out[0]);
  Descriptor child_out(out[1]);
  fcntl(to_child.get(), F_SETFL, O_NONBLOCK);

  const std::chrono::duration<double> longest(std::min(options.timeout, 86400.0));
  const Patience patience{.deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(longest),
                          .stop = options.stop};
  Pipes pipes{.to_child = to_child, .from_child = from_child};
  const pid_t child = start(options.command, child_in.get(), child_out.get());
  if (child < 0) return {.scores = {}, .failure = "the verifier could not be started"};
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
  const std::string input = input_lines(options.prompt, lanes);
  const bool ended = exchange(pipes, input, patience, output) && wait_until(child, patience, status);
  const timespec now = {};
  while (sigtimedwait(&pipe_signal, nullptr, &now) > 0) continue;
  pthread_sigmask(SIG_SETMASK, &old_mask, nullptr);

  if (!ended) {
    kill(-child, SIGKILL);
    waitpid(child, &status, 0);
    return {.scores = {}, .failure = "the verifier took too long and was cut off"};
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return {.scores = {},
            .failure = "the verifier failed (" +
                       (WIFEXITED(status) ? "exit status " + std::to_string(WEXITSTATUS(status))
                                          : "signal " + std::to_string(WTERMSIG(status))) +
                       ")"};
  }
  return read_scores(output, lanes.size());
}

}  // namespace lanerope::engine
