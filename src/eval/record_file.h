// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "eval/eval_record.h"
#include "eval/step_times.h"

namespace lanerope::eval {

// What an arm's texts follow from: names and values, in the order in which they are to be compared.
using RunSettings = std::vector<std::pair<std::string, std::string>>;

// What such a file holds.
struct RecordContents {
  std::vector<EvalRecord> records = {};
  std::vector<ArmTiming> timings = {};
  std::vector<std::pair<std::string, RunSettings>> arms = {};  // in the order in which they began
  uintmax_t whole_lines = 0;                                   // bytes; behind them comes half a line at most
};

// Reads the file and leaves it as it is. Throws SystemError where it cannot be read, BadFile where a line is
// of another kind.
RecordContents read_records(const std::string& path);

// The file that an evaluation grows in, one JSON object a line: the settings of an arm before its first
// record, records, timings. A run that was cut off goes on with it; half a line at its end is cut away.
class RecordFile {
 public:
  // Throws BadFile, leaving the file as it is, where a line is of another kind; SystemError where it cannot
  // be written.
  explicit RecordFile(const std::string& path);

  // Throws InvalidRequest where the file holds records of the arm with other settings.
  void begin_arm(const std::string& arm, const RunSettings& settings);
  void add(const EvalRecord& record);
  void add(const ArmTiming& timing);

  const std::vector<EvalRecord>& records() const { return contents_.records; }
  // What the arm took, over all runs of the program.
  ArmTiming timing_of(const std::string& arm) const;

 private:
  void write_line(const std::string& line);

  std::string path_;
  RecordContents contents_;
  std::ofstream stream_;
};

// A few words that tell a file from others: its size, and a hash of parts that are spread over all of it.
// Throws SystemError where it cannot be read.
std::string fingerprint(const std::string& file);

}  // namespace lanerope::eval
