// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace lanerope::train {

// What is known of a training run after one of its steps.
struct CurvePoint {
  int64_t step = 0;    // steps done
  int64_t tokens = 0;  // trained on so far
  double seconds = 0;  // so far
  double loss = 0;     // nats a token
  double learning_rate = 0;
  double tokens_per_second = 0;
  double gradient_norm = 0;
  std::map<std::string, double> extra = {};  // what is measured at some steps only: kl, dev_accuracy, ...
};

// The points of a curve log, in the order of the file. A last line that was cut off while it was written is
// left out. Numbers that are not finite are NaN. Throws SystemError where the file cannot be read, BadFile,
// naming the line, where a whole line is not a point.
std::vector<CurvePoint> read_curve(const std::string& path);

// A log of points, JSON Lines. Whatever interrupts the process, every point that was appended is kept, and at
// worst the last line is cut off. Not for several threads at once.
class CurveLog {
 public:
  // Goes on with the log at `path`, or begins one. Of a log that is there, points behind `last_step` are
  // dropped: the run has gone back to a checkpoint and will pass these steps again. 0 begins anew. Throws as
  // read_curve does, and SystemError where the file cannot be written.
  CurveLog(std::string path, int64_t last_step);
  ~CurveLog();
  CurveLog(const CurveLog&) = delete;
  CurveLog& operator=(const CurveLog&) = delete;

  // Throws SystemError where the disk refuses; the log then ends with the point before.
  void append(const CurvePoint& point);

 private:
  std::string path_;
  int file_ = -1;  // descriptor
};

}  // namespace lanerope::train
