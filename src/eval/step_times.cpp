// SPDX-License-Identifier: Apache-2.0
#include "eval/step_times.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace lanerope::eval {

namespace {

using Json = nlohmann::ordered_json;

constexpr int32_t class_width = 4;   // lanes
constexpr int64_t fewest_steps = 3;  // of a class that is compared

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

}  // namespace

void StepTimes::add(int32_t live_lanes, double seconds) {
  if (live_lanes < 1) return;
  milliseconds_[(live_lanes + class_width - 1) / class_width * class_width].push_back(1000 * seconds);
}

std::vector<StepTime> StepTimes::medians() const {
  std::vector<StepTime> result;
  for (const auto& [lanes, times] : milliseconds_) {
    result.push_back(
        {.lanes = lanes, .steps = static_cast<int64_t>(times.size()), .milliseconds = median(times)});
  }
  return result;
}

ArmTiming merged(std::span<const ArmTiming> runs) {
  ArmTiming whole;
  std::map<int32_t, StepTime> classes;
  for (const ArmTiming& run : runs) {
    whole.arm = run.arm;
    whole.seconds += run.seconds;
    whole.steps += run.steps;
    for (const StepTime& time : run.at) {
      StepTime& sum = classes[time.lanes];
      sum.lanes = time.lanes;
      sum.steps += time.steps;
      sum.milliseconds += time.milliseconds * static_cast<double>(time.steps);
    }
  }
  for (auto& [lanes, sum] : classes) {
    sum.milliseconds /= static_cast<double>(std::max<int64_t>(sum.steps, 1));
    whole.at.push_back(sum);
  }
  return whole;
}

std::optional<StepTime> usual_step(const ArmTiming& timing) {
  if (timing.at.empty()) return std::nullopt;
  return std::ranges::max(timing.at, {}, &StepTime::steps);
}

std::optional<double> step_ratio(const ArmTiming& timing, const ArmTiming& base) {
  double sum = 0;
  double weights = 0;
  for (const StepTime& time : timing.at) {
    const auto other = std::ranges::find(base.at, time.lanes, &StepTime::lanes);
    if (other == base.at.end() || other->milliseconds <= 0) continue;
    const int64_t steps = std::min(time.steps, other->steps);
    if (steps < fewest_steps) continue;
    sum += time.milliseconds / other->milliseconds * static_cast<double>(steps);
    weights += static_cast<double>(steps);
  }
  return weights > 0 ? std::optional(sum / weights) : std::nullopt;
}

std::string to_line(const ArmTiming& timing) {
  Json at = Json::array();
  for (const StepTime& time : timing.at)
    at.push_back({{"lanes", time.lanes}, {"steps", time.steps}, {"milliseconds", time.milliseconds}});
  const Json json = {
      {"timing", timing.arm}, {"seconds", timing.seconds}, {"steps", timing.steps}, {"at", at}};
  return json.dump();
}

std::optional<ArmTiming> parse_timing(std::string_view line) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  try {
    ArmTiming timing{.arm = json.at("timing").get<std::string>(),
                     .seconds = json.at("seconds").get<double>(),
                     .steps = json.at("steps").get<int64_t>()};
    for (const Json& item : json.at("at")) {
      timing.at.push_back({.lanes = item.at("lanes").get<int32_t>(),
                           .steps = item.at("steps").get<int64_t>(),
                           .milliseconds = item.at("milliseconds").get<double>()});
    }
    return timing;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

}  // namespace lanerope::eval
