// SPDX-License-Identifier: Apache-2.0
#include "cli/interrupt.h"

#include <unistd.h>

#include <atomic>

#include "cli/exit_code.h"

namespace lanerope::cli {

namespace {

std::atomic<int> signals = 0;
std::atomic<const char*> restore_text = nullptr;
std::atomic<size_t> restore_size = 0;

void on_signal(int) {
  if (signals.fetch_add(1) == 0) return;
  InterruptGuard::leave(exit_interrupted);
}

}  // namespace

InterruptGuard::InterruptGuard() {
  signals = 0;
  struct sigaction action = {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, &old_interrupt_);
  sigaction(SIGTERM, &action, &old_terminate_);
}

InterruptGuard::~InterruptGuard() {
  sigaction(SIGINT, &old_interrupt_, nullptr);
  sigaction(SIGTERM, &old_terminate_, nullptr);
  restore_size = 0;
}

bool InterruptGuard::interrupted() {
  return signals > 0;
}

void InterruptGuard::leave(int status) {
  if (restore_size > 0) {
    [[maybe_unused]] const ssize_t ignored = write(STDOUT_FILENO, restore_text, restore_size);
  }
  _exit(status);
}

void InterruptGuard::restore_with(std::string_view restore_terminal) {
  restore_size = 0;
  restore_text = restore_terminal.data();
  restore_size = restore_terminal.size();
}

}  // namespace lanerope::cli
