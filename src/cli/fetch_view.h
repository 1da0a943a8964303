// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>

#include "hub/watch.h"

namespace lanerope::cli {

// Bytes a second over the last seconds.
class Rate {
 public:
  using Clock = std::chrono::steady_clock;

  void take(Clock::time_point when, uint64_t bytes);
  double bytes_per_second() const;  // 0 where it cannot be told yet

 private:
  struct Sample {
    Clock::time_point when;
    uint64_t bytes;
  };
  std::deque<Sample> samples_;
};

// "model.gguf  [#####-----]  50%  400 of 800 MB  12.5 MB/s  0:32 left", `width` cells wide.
std::string progress_line(const hub::Progress& progress, double bytes_per_second, int width);

// Shows a fetch on standard error: a line that changes in place on a terminal, else a line at the start, at
// each tenth of a large file, and at the end.
class FetchView {
 public:
  FetchView();
  ~FetchView();
  FetchView(const FetchView&) = delete;
  FetchView& operator=(const FetchView&) = delete;

  void show(const hub::Progress& progress);
  void note(const std::string& line);

 private:
  void begin(const hub::Progress& progress);
  void end(const hub::Progress& progress);
  void erase();

  bool terminal_;
  bool line_shown_ = false;
  std::string name_;  // of the file that is shown
  Rate::Clock::time_point begun_ = {};
  Rate::Clock::time_point said_ = {};
  int tenths_ = 0;
  Rate rate_;
};

}  // namespace lanerope::cli
