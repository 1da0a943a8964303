// SPDX-License-Identifier: Apache-2.0
#include "engine/child_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <ctime>
#include <thread>

extern char** environ;

namespace lanerope::engine {

namespace {

pid_t start(const std::string& command, int child_in, int child_out) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&actions, child_in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, child_out, STDOUT_FILENO);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  posix_spawnattr_setpgroup(&attributes, 0);
  sigset_t signals;
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&attributes, &signals);
  sigaddset(&signals, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &signals);
  std::array<char*, 4> arguments = {const_cast<char*>("sh"), const_cast<char*>("-c"),
                                    const_cast<char*>(command.c_str()), nullptr};
  pid_t child = -1;
  if (posix_spawn(&child, "/bin/sh", &actions, &attributes, arguments.data(), environ) != 0) child = -1;
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
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

ChildProcess::ChildProcess(const std::string& command) {
  std::array<int, 2> in;
  std::array<int, 2> out;
  if (pipe2(in.data(), O_CLOEXEC) != 0) return;
  const Descriptor child_in(in[0]);
  to_.take(in[1]);
  if (pipe2(out.data(), O_CLOEXEC) != 0) return;
  from_.take(out[0]);
  const Descriptor child_out(out[1]);
  fcntl(to_.get(), F_SETFL, O_NONBLOCK);
  pid_ = start(command, child_in.get(), child_out.get());
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
