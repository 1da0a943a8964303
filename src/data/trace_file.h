// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <istream>
#include <optional>
#include <string>

#include "data/trace.h"

namespace lanerope::data {

// {"question": "...", "answer": "...", "lanes": ["...", ...], "second_stage": {"told": "...", "written":
// "..."}, OTHER KEYS, "labels": [true, ...], "ended": [true, ...]} in one line, without a line break; all but
// the first two are left out where there are none.
// Bytes that are not UTF-8 become U+FFFD.
std::string trace_line(const Trace& trace);

// Reads JSON lines one by one, without holding the file.
class TraceReader {
 public:
  // `name` is what the messages call the file. The stream must outlive the reader.
  TraceReader(std::istream& lines, std::string name) : lines_(lines), name_(std::move(name)) {}

  // The next trace or problem, or nothing at the end; empty lines are skipped. Throws BadFile naming the line
  // if it is not a JSON object in UTF-8 with a question and an answer, or if its lanes or labels are not what
  // trace_line() writes. A whole number is taken as an answer too. Other keys are kept as they are.
  std::optional<Trace> next();

  // "FILE, line 3", of the trace that next() returned last.
  std::string where() const;

 private:
  std::istream& lines_;
  std::string name_;
  int64_t line_ = 0;
};

}  // namespace lanerope::data
