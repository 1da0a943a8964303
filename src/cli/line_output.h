// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <fstream>
#include <string>

namespace lanerope::cli {

// Lines that go to a file, or to standard output where its name is "-". A file that is replaced stays as it
// is up to finish(), and without that for good: the new one is FILE.PID.new meanwhile. Everything throws
// SystemError where the file cannot be written.
class LineOutput {
 public:
  enum class Mode {
    replace,  // a file that exists is replaced; lines for a device or a pipe go there at once
    extend,   // lines are added to it; half a line at its end is cut off
  };
  explicit LineOutput(const std::string& file, Mode mode = Mode::replace);
  ~LineOutput();
  LineOutput(const LineOutput&) = delete;
  LineOutput& operator=(const LineOutput&) = delete;

  void write(const std::string& line);
  void flush();

  // Must be called at the end; a full disk may show only here.
  void finish();

 private:
  void put_in_place();

  std::string file_;
  std::string replaced_;  // `file_` behind its links, while it is to be replaced; empty: it is not
  std::ofstream stream_;
  std::string buffer_;
};

// "120000 of 200000 traces" on one line of a terminal's standard error, a few times a second; nothing
// elsewhere. Erased at the end.
class ProgressNote {
 public:
  explicit ProgressNote(std::string text);  // "of 200000 traces"
  ~ProgressNote();
  ProgressNote(const ProgressNote&) = delete;
  ProgressNote& operator=(const ProgressNote&) = delete;

  void show(int64_t done);

 private:
  std::string text_;
  bool shown_ = false;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

}  // namespace lanerope::cli
