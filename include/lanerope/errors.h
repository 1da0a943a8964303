// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>

namespace lanerope {

// Everything that lanerope throws derives from Error. what() is one sentence for a person: what is wrong and
// what to do about it. src/cli/exit_code.cpp maps the types to exit statuses, and the server maps them to
// HTTP statuses.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The caller asked for something that makes no sense: unknown coupling, N = 0, prompt longer than the
// context.
struct InvalidRequest : Error {
  using Error::Error;
};

// A file is damaged, truncated, or of a kind that lanerope does not read.
struct BadFile : Error {
  using Error::Error;
};

// The request makes sense and does not fit: into the KV cells or the memory. The numbers are in the sentence.
struct DoesNotFit : Error {
  using Error::Error;
};

// The operating system or a back end refused: a full disk, a file that cannot be opened, a verifier that
// died.
struct SystemError : Error {
  using Error::Error;
};

// A Service has more to do than it takes on; asked again after a while it may not.
struct Busy : Error {
  Busy(const std::string& message, int seconds) : Error(message), retry_after(seconds) {}
  int retry_after;  // seconds
};

// A Service takes no new groups, or has ended.
struct Draining : Error {
  using Error::Error;
};

// A group of that name does not run, or does no longer.
struct NoSuchGroup : Error {
  using Error::Error;
};

}  // namespace lanerope
