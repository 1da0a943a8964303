// SPDX-License-Identifier: Apache-2.0
#include "engine/child_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <ctime>
#include <string_view>
#include <thread>

extern char** environ;

namespace lanerope::engine {

namespace {

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (std::string& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

std::vector<std::string> environment_of(const ChildProgram& program) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view set(*entry);
    const std::string_view name = set.substr(0, set.find('='));
    const auto given = std::ranges::find(program.environment, name, [](const auto& of) { return of.first; });
    if (given == program.environment.end()) all.emplace_back(set);
  }
  for (const auto& [name, value] : program.environment) {
    all.push_back(name);
    all.back() += '=';
    all.back() += value;
  }
  return all;
}

// The bound is there before anything comes to the program's standard input.
void bound_memory(pid_t child, int64_t bytes) {
  rlimit limit{.rlim_cur = static_cast<rlim_t>(bytes), .rlim_max = static_cast<rlim_t>(bytes)};
  prlimit(child, RLIMIT_DATA, &limit, nullptr);
}

pid_t start(const ChildProgram& program, int child_in, int child_out) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&actions, child_in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, child_out, STDOUT_FILENO);
  if (!program.folder.empty()) posix_spawn_file_actions_addchdir_np(&actions, program.folder.c_str());
  if (program.quiet) posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  posix_spawnattr_setpgroup(&attributes, 0);
  sigset_t signals;
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&attributes, &signals);
  sigaddset(&signals, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &signals);
  std::vector<std::string> words = program.words;
  std::vector<std::string> environment = environment_of(program);
  pid_t child = -1;
  if (posix_spawnp(&child, words.front().c_str(), &actions, &attributes, pointers(words).data(),
                   pointers(environment).data()) != 0)
    child = -1;
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (child > 0 && program.most_memory > 0) bound_memory(child, program.most_memory);
  return child;
}

sigset_t pipe_signal() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  return signals;
}

}  // namespace

void Descriptor::take(int fd) {
  close();
  fd_ = fd;
}

void Descriptor::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

ChildProcess::ChildProcess(const ChildProgram& program) {
  if (program.words.empty()) return;
  std::array<int, 2> in;
  std::array<int, 2> out;
  if (pipe2(in.data(), O_CLOEXEC) != 0) return;
  const Descriptor child_in(in[0]);
  to_.take(in[1]);
  if (pipe2(out.data(), O_CLOEXEC) != 0) return;
  from_.take(out[0]);
  const Descriptor child_out(out[1]);
  fcntl(to_.get(), F_SETFL, O_NONBLOCK);
  pid_ = start(program, child_in.get(), child_out.get());
}

bool ChildProcess::wait(const std::function<bool()>& over, int& status) {
  while (waitpid(pid_, &status, WNOHANG) == 0) {
    if (over()) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  pid_ = -1;
  return true;
}

void ChildProcess::kill() {
  if (!running()) return;
  ::kill(-pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

NoPipeSignal::NoPipeSignal() {
  const sigset_t signals = pipe_signal();
  sigset_t old;
  pthread_sigmask(SIG_BLOCK, &signals, &old);
  was_blocked_ = sigismember(&old, SIGPIPE) == 1;
}

NoPipeSignal::~NoPipeSignal() {
  if (was_blocked_) return;
  const sigset_t signals = pipe_signal();
  const timespec now = {};
  while (sigtimedwait(&signals, nullptr, &now) > 0) continue;
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

}  // namespace lanerope::engine
