// SPDX-License-Identifier: Apache-2.0
#include "train/files/curve_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "lanerope/errors.h"
#include "train/files/whole_file.h"

namespace lanerope::train {

namespace {

using Json = nlohmann::ordered_json;

struct NumberField {
  const char* name;
  double CurvePoint::* member;
};

constexpr NumberField number_fields[] = {
    {"seconds", &CurvePoint::seconds},
    {"loss", &CurvePoint::loss},
    {"learning_rate", &CurvePoint::learning_rate},
    {"tokens_per_second", &CurvePoint::tokens_per_second},
    {"gradient_norm", &CurvePoint::gradient_norm},
};

std::string line_of(const CurvePoint& point) {
  Json json = {{"step", point.step}, {"tokens", point.tokens}};
  for (const auto& [name, member] : number_fields) json[name] = point.*member;
  if (!point.extra.empty()) json["extra"] = point.extra;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

// JSON has no infinity and no NaN; both are written as null.
std::optional<double> number(const Json& json) {
  if (json.is_null()) return std::numeric_limits<double>::quiet_NaN();
  if (!json.is_number()) return std::nullopt;
  return json.get<double>();
}

std::optional<CurvePoint> point_of(std::string_view line) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  CurvePoint point;
  const auto step = json.find("step");
  const auto tokens = json.find("tokens");
  if (step == json.end() || !step->is_number_integer()) return std::nullopt;
  if (tokens == json.end() || !tokens->is_number_integer()) return std::nullopt;
  point.step = step->get<int64_t>();
  point.tokens = tokens->get<int64_t>();
  for (const auto& [name, member] : number_fields) {
    const auto found = json.find(name);
    const auto value = found == json.end() ? std::nullopt : number(*found);
    if (!value) return std::nullopt;
    point.*member = *value;
  }
  const auto extra = json.find("extra");
  if (extra == json.end()) return point;
  if (!extra->is_object()) return std::nullopt;
  for (const auto& [name, json_value] : extra->items()) {
    const auto value = number(json_value);
    if (!value) return std::nullopt;
    point.extra[name] = *value;
  }
  return point;
}

[[noreturn]] void refuse(const std::string& path) {
  throw SystemError(path + " cannot be written: " + std::generic_category().message(errno) +
                    "; free some space or write elsewhere");
}

}  // namespace

std::vector<CurvePoint> read_curve(const std::string& path) {
  const std::string text = read_whole_file(path);
  std::vector<CurvePoint> points;
  size_t number_of_line = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find('\n', begin);
    if (end == std::string::npos) break;
    ++number_of_line;
    const auto point = point_of(std::string_view(text).substr(begin, end - begin));
    if (!point) {
      throw BadFile(path + ", line " + std::to_string(number_of_line) +
                    " is not a point of a training curve; remove the line");
    }
    points.push_back(*point);
    begin = end + 1;
  }
  return points;
}

CurveLog::CurveLog(std::string path, int64_t last_step) : path_(std::move(path)) {
  std::string kept;
  if (last_step > 0 && std::filesystem::exists(path_)) {
    for (const CurvePoint& point : read_curve(path_)) {
      if (point.step <= last_step) kept += line_of(point);
    }
  }
  write_whole_file(path_, kept);
  file_ = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (file_ < 0) refuse(path_);
}

CurveLog::~CurveLog() {
  ::close(file_);
}

void CurveLog::append(const CurvePoint& point) {
  const std::string line = line_of(point);
  const off_t size = ::lseek(file_, 0, SEEK_END);
  const ssize_t written = ::write(file_, line.data(), line.size());
  if (written == static_cast<ssize_t>(line.size())) return;
  const int reason = written < 0 ? errno : ENOSPC;
  // Only where even this fails does the log end with a part of a line.
  (void)!::ftruncate(file_, size);
  errno = reason;
  refuse(path_);
}

}  // namespace lanerope::train
