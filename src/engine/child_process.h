// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

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

// A program with its arguments, found as a shell finds it and run without one.
struct ChildProgram {
  std::vector<std::string> words = {};
  std::vector<std::pair<std::string, std::string>> environment =
      {};                   // beside and instead of what is set here
  std::string folder = {};  // where it runs; empty: here
  int64_t most_memory = 0;  // bytes of data that each of its processes may have; 0: no bound
  bool quiet = false;       // what it writes to its standard error goes nowhere
};

// A command for /bin/sh.
inline ChildProgram shell_program(const std::string& command) {
  return {.words = {"/bin/sh", "-c", command}};
}

// A program in a process group of its own, so that all of it can be killed, with pipes to its standard input,
// which does not block, and from its standard output.
class ChildProcess {
 public:
  // Not running, where it cannot be started.
  explicit ChildProcess(const ChildProgram& program);
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
