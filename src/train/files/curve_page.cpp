// SPDX-License-Identifier: Apache-2.0
#include "train/files/curve_page.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string_view>

#include "train/files/curve_page_template.h"
#include "train/files/whole_file.h"

namespace lanerope::train {

namespace {

using Json = nlohmann::ordered_json;

// Seven digits are more than any screen shows and half as long as all of them.
Json shortened(double value) {
  if (!std::isfinite(value)) return nullptr;
  char text[32];
  std::snprintf(text, sizeof text, "%.7g", value);
  return std::strtod(text, nullptr);
}

// Values over the course of a run, which can be drawn over any of the three.
class Series {
 public:
  explicit Series(std::span<const std::string_view> names) {
    for (const std::string_view name : names) values_[std::string(name)] = Json::array();
  }

  void place(const CurvePoint& point) {
    step_.push_back(point.step);
    tokens_.push_back(point.tokens);
    seconds_.push_back(shortened(point.seconds));
  }
  void put(std::string_view name, double value) { values_[std::string(name)].push_back(shortened(value)); }

  Json json() const {
    return {{"step", step_}, {"tokens", tokens_}, {"seconds", seconds_}, {"values", values_}};
  }

 private:
  Json step_ = Json::array();
  Json tokens_ = Json::array();
  Json seconds_ = Json::array();
  Json values_ = Json::object();
};

struct Column {
  std::string_view name;
  double CurvePoint::* member;
};

constexpr Column columns[] = {
    {"loss", &CurvePoint::loss},
    {"learning_rate", &CurvePoint::learning_rate},
    {"tokens_per_second", &CurvePoint::tokens_per_second},
    {"gradient_norm", &CurvePoint::gradient_norm},
};

Json curve_json(const NamedCurve& curve, CurvePageLimits limits) {
  const std::span<const CurvePoint> points = curve.points;
  const size_t most = std::max<size_t>(limits.points, 1);
  const size_t stride = std::max<size_t>(1, (points.size() + most - 1) / most);

  std::vector<std::string_view> names;
  for (const Column& column : columns) names.push_back(column.name);
  Series all(names);
  for (size_t begin = 0; begin < points.size(); begin += stride) {
    const auto together = points.subspan(begin, std::min(stride, points.size() - begin));
    all.place(together.back());
    for (const auto& [name, member] : columns) {
      double sum = 0;
      for (const CurvePoint& point : together) sum += point.*member;
      all.put(name, sum / static_cast<double>(together.size()));
    }
  }

  std::map<std::string, Series> extra;
  for (const CurvePoint& point : points) {
    for (const auto& [name, value] : point.extra) {
      const std::string_view only[] = {name};
      Series& series = extra.try_emplace(name, only).first->second;
      series.place(point);
      series.put(name, value);
    }
  }
  Json json = {{"name", curve.name}, {"stride", stride}, {"series", Json::array({all.json()})}};
  for (const auto& [name, series] : extra) json["series"].push_back(series.json());
  return json;
}

// The name of a run must not end the script element that it stands in.
std::string inside_script(const Json& json) {
  std::string safe;
  for (const char c : json.dump(-1, ' ', false, Json::error_handler_t::replace)) {
    if (c == '<') {
      safe += "\\u003c";
    } else {
      safe += c;
    }
  }
  return safe;
}

}  // namespace

void write_curve_page(std::span<const NamedCurve> curves, std::ostream& out, CurvePageLimits limits) {
  Json data = Json::array();
  for (const NamedCurve& curve : curves) data.push_back(curve_json(curve, limits));
  const std::string_view page = curve_page_template();
  constexpr std::string_view mark = "{{data}}";
  const size_t at = page.find(mark);
  out << page.substr(0, at) << inside_script(data) << page.substr(at + mark.size());
}

void write_curve_page_file(const std::string& path, std::span<const CurveLogName> logs) {
  std::vector<NamedCurve> curves;
  for (const CurveLogName& log : logs) {
    const auto folder = std::filesystem::absolute(log.path).parent_path().filename().string();
    curves.push_back({.name = log.name.empty() ? folder : log.name, .points = read_curve(log.path)});
  }
  std::ostringstream page;
  write_curve_page(curves, page);
  write_whole_file(path, page.str());
}

}  // namespace lanerope::train
