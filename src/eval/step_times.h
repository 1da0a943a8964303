// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace lanerope::eval {

// How long a step takes while about as many lanes are live.
struct StepTime {
  int32_t lanes = 0;        // at most these, and more than the class below has
  int64_t steps = 0;        // that were timed
  double milliseconds = 0;  // median
  bool operator==(const StepTime&) const = default;
};

// What an arm took in one run of the program.
struct ArmTiming {
  std::string arm = {};
  double seconds = 0;  // by the clock on the wall, prompts included
  int64_t steps = 0;
  std::vector<StepTime> at = {};  // by lanes, ascending
  bool operator==(const ArmTiming&) const = default;
};

// Collects the times of steps. Classes are four lanes wide.
class StepTimes {
 public:
  void add(int32_t live_lanes, double seconds);
  std::vector<StepTime> medians() const;

 private:
  std::map<int32_t, std::vector<double>> milliseconds_;  // by the upper end of the class
};

// Several runs as one: medians of a class are averaged by their numbers of steps.
ArmTiming merged(std::span<const ArmTiming> runs);

// The class that most steps fell into; nothing where no step was timed.
std::optional<StepTime> usual_step(const ArmTiming& timing);

// How many times as long a step takes as in `base` while as many lanes are live: the mean over the classes
// that both have, weighted with the smaller of their numbers of steps. Nothing where there is none with three
// steps in both.
std::optional<double> step_ratio(const ArmTiming& timing, const ArmTiming& base);

// One JSON line, without a line break, and back.
std::string to_line(const ArmTiming& timing);
std::optional<ArmTiming> parse_timing(std::string_view line);

}  // namespace lanerope::eval
