// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

namespace lanerope::engine {

// A file descriptor that is closed with its owner.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }
  void take(int fd);
  void close();

 private:
  int fd_;
};

// A command run by /bin/sh in a process group of its own, so that all of it can be killed, with pipes to its
// standard input, which does not block, and from its standard output.
class ChildProcess {
 public:
  // Not running, where it cannot be started.
  explicit ChildProcess(const std::string& command);
  // Killed, if it still runs.
  ~ChildProcess() { kill(); }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  bool running() const { return pid_ > 0; }
  Descriptor& to() { return to_; }
  Descriptor& from() { return from_; }
  // Waits for it to end by itself, and gives its status as waitpid has it; false if `over` says first that
  // there is no more time.
  bool wait(const std::function<bool()>& over, int& status);
  void kill();  // with everything that it started

 private:
  pid_t pid_ = -1;
  Descriptor to_;
  Descriptor from_;
};

// While it lives, this thread gets no SIGPIPE from a reader that has gone away.
class NoPipeSignal {
 public:
  NoPipeSignal();
  ~NoPipeSignal();
  NoPipeSignal(const NoPipeSignal&) = delete;
  NoPipeSignal& operator=(const NoPipeSignal&) = delete;

 private:
  bool was_blocked_ = false;
};

}  // namespace lanerope::engine
