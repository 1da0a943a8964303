// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "hub/settings.h"
#include "lanerope/errors.h"

namespace lanerope::hub {

// Thrown where the caller's `stopped` said so. What was fetched so far stays, and is gone on from.
struct Stopped : Error {
  using Error::Error;
};

// How far a file is.
struct Progress {
  std::string name = {};  // of the file, without folders
  uint64_t done = 0;      // bytes
  uint64_t resumed = 0;   // of them there already when this call began
  std::optional<uint64_t> total = {};
  bool complete = false;  // the last call for this file
};

// How a caller follows a fetch; all may be empty. Called on the thread that fetches.
struct Watch {
  std::function<void(const Progress&)> progress = {};  // some times a second
  std::function<void(const std::string&)> note = {};   // a line for a person: a wait, another try
  std::function<bool()> stopped = {};

  void say(const std::string& line) const {
    if (note) note(line);
  }
  void throw_if_stopped() const {
    if (stopped && stopped()) throw Stopped("stopped; the same command goes on from what is there");
  }
};

struct RetryPolicy {
  int tries = 6;                               // without a byte in between
  std::chrono::milliseconds first_wait{1000};  // doubled each time
  std::chrono::seconds longest_wait{120};      // more than that the user is told to come back
  std::chrono::seconds stall{30};              // with next to nothing: the connection counts as broken
};

// All that a fetch needs beside what to fetch.
struct FetchOptions {
  Settings settings = {};
  RetryPolicy retry = {};
  Watch watch = {};
  // Where the hub does not answer, or refuses: take what is in the cache, and say so. Else that is an error.
  bool fall_back = true;
};

}  // namespace lanerope::hub
