// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <string>

namespace lanerope::cli {

// Exit statuses of `lanerope`; `lanerope --help` lists them.
enum ExitCode : int {
  exit_ok = 0,
  exit_failed = 1,           // anything that has no status of its own
  exit_invalid_request = 2,  // unknown option, or a request that makes no sense
  exit_bad_file = 3,
  exit_does_not_fit = 4,
  exit_system_error = 5,
  exit_interrupted = 130,  // Ctrl-C, as shells count it
  exit_closed_pipe = 141,  // the reader of our output went away, as shells count SIGPIPE
};

struct Failure {
  int code = exit_failed;
  std::string message;  // one line; empty: say nothing
};

// The one place where exceptions become exit statuses.
Failure describe_failure(const std::exception& error);

}  // namespace lanerope::cli
