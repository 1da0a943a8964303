// SPDX-License-Identifier: Apache-2.0
#include "train/files/progress.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace lanerope::train {

namespace {

std::string formatted(const char* format, double value) {
  std::array<char, 64> text;
  std::snprintf(text.data(), text.size(), format, value);
  return text.data();
}

// 12,345,678
std::string grouped(int64_t number) {
  std::string text = std::to_string(number);
  const size_t sign = number < 0 ? 1 : 0;
  for (size_t at = text.size(); at > sign + 3;) text.insert(at -= 3, ",");
  return text;
}

std::string rate_text(double per_second) {
  if (!std::isfinite(per_second)) return "?";
  if (per_second < 999.5) return formatted("%.0f", per_second);
  if (per_second < 99.95e3) return formatted("%.1f k", per_second / 1e3);
  if (per_second < 999.5e3) return formatted("%.0f k", per_second / 1e3);
  return formatted("%.2f M", per_second / 1e6);
}

std::string two_units(int64_t whole, const char* unit, int64_t rest, const char* rest_unit) {
  return std::to_string(whole) + " " + unit + " " + (rest < 10 ? "0" : "") + std::to_string(rest) + " " +
         rest_unit;
}

}  // namespace

std::string duration_text(double seconds) {
  if (!(seconds >= 0) || seconds > 1e12) return "?";
  const auto whole = static_cast<int64_t>(std::llround(seconds));
  if (whole < 60) return std::to_string(whole) + " s";
  if (whole < 3600) return two_units(whole / 60, "min", whole % 60, "s");
  const int64_t minutes = std::llround(seconds / 60);
  if (minutes < 24 * 60) return two_units(minutes / 60, "h", minutes % 60, "min");
  const int64_t hours = std::llround(seconds / 3600);
  return two_units(hours / 24, "d", hours % 24, "h");
}

std::string progress_line(const TrainingProgress& progress) {
  const std::string steps = grouped(progress.steps);
  const std::string step = grouped(progress.step);
  std::string line =
      "step " + std::string(steps.size() - std::min(steps.size(), step.size()), ' ') + step + "/" + steps;
  if (progress.steps > 0) {
    const double share = static_cast<double>(progress.step) / static_cast<double>(progress.steps);
    line += "  " + formatted("%5.1f", 100 * share) + " %";
  }
  line += "  loss " + formatted("%.4f", progress.loss);
  line += "  " + rate_text(progress.tokens_per_second) + " tokens/s";
  const int64_t done = progress.step - progress.first_step;
  if (done > 0 && progress.step < progress.steps) {
    const double each = progress.seconds / static_cast<double>(done);
    line += "  " + duration_text(each * static_cast<double>(progress.steps - progress.step)) + " left";
  }
  for (const auto& [name, value] : progress.extra) line += "  " + name + " " + formatted("%.4g", value);
  return line;
}

}  // namespace lanerope::train
