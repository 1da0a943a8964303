// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>
#include <string_view>

namespace lanerope::cli {

// While one lives, the first Ctrl-C (or SIGTERM) is only noted, and a second ends the program at once after
// writing `restore_terminal`, which must outlive the program, to standard output. One at a time.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  static bool interrupted();
  // Ends the program at once, from any thread, with the terminal restored.
  [[noreturn]] static void leave(int status);
  static void restore_with(std::string_view restore_terminal);

 private:
  struct sigaction old_interrupt_ = {};
  struct sigaction old_terminate_ = {};
};

}  // namespace lanerope::cli
