// SPDX-License-Identifier: Apache-2.0
#include "cli/start_again.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>

#include "cli/exit_code.h"
#include "cli/output.h"

namespace lanerope::cli {

namespace {

char** program = nullptr;

}  // namespace

void remember_program(char** arguments) {
  program = arguments;
}

void start_again() {
  // Connections that others opened would stay open, and a worker that has one hears nobody else.
  const auto limit = static_cast<int>(std::clamp<int64_t>(sysconf(_SC_OPEN_MAX), 256, 65536));
  for (int fd = STDERR_FILENO + 1; fd < limit; ++fd) fcntl(fd, F_SETFD, FD_CLOEXEC);
  execv("/proc/self/exe", program);
  print_note("lanerope: error: the program could not be started again: " + std::string(std::strerror(errno)));
  _exit(exit_system_error);
}

}  // namespace lanerope::cli
