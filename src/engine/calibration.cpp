// SPDX-License-Identifier: Apache-2.0
#include "lanerope/calibration.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "lanerope/errors.h"

namespace lanerope {

namespace {

using Json = nlohmann::ordered_json;

// Tells the file from others, and its format from later ones.
constexpr auto mark = "lanerope_calibration";
constexpr int format = 1;

bool is_curve(const std::vector<CurvePoint>& points) {
  const auto is_share = [](double value) { return value >= 0 && value <= 1; };
  for (size_t i = 0; i < points.size(); ++i) {
    if (!is_share(points[i].claimed) || !is_share(points[i].calibrated)) return false;
    if (i == 0) continue;
    if (points[i].claimed <= points[i - 1].claimed || points[i].calibrated < points[i - 1].calibrated)
      return false;
  }
  return !points.empty();
}

}  // namespace

double calibrated(const CalibrationCurve& curve, double claimed) {
  const auto& points = curve.points;
  const auto above = std::ranges::upper_bound(points, claimed, {}, &CurvePoint::claimed);
  if (above == points.begin()) return above->calibrated;
  const CurvePoint& low = *std::prev(above);
  if (above == points.end()) return low.calibrated;
  const double way = (claimed - low.claimed) / (above->claimed - low.claimed);
  return low.calibrated + way * (above->calibrated - low.calibrated);
}

std::string to_file_text(const CalibrationCurve& curve) {
  Json points = Json::array();
  for (const CurvePoint& point : curve.points) points.push_back({point.claimed, point.calibrated});
  const Json json = {{mark, format},
                     {"select", name(curve.select)},
                     {"vote_weight", name(curve.weight)},
                     {"lanes", curve.lanes},
                     {"curve", points}};
  return json.dump() + "\n";
}

CalibrationCurve read_calibration(const std::string& file) {
  std::error_code none;
  if (std::filesystem::is_directory(file, none)) throw SystemError(file + " is a folder; name a file");
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw SystemError(file + " cannot be read; check the name and its permissions");
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  const BadFile refusal(file + " is no calibration; write one with lanerope calibrate");
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || json.value(mark, Json()) != format) throw refusal;
  try {
    CalibrationCurve curve;
    const auto select = parse<SelectionKind>(json.at("select").get<std::string>());
    const auto weight = parse<VoteWeight>(json.at("vote_weight").get<std::string>());
    curve.lanes = json.at("lanes").get<int32_t>();
    for (const Json& point : json.at("curve"))
      curve.points.push_back({.claimed = point.at(0).get<double>(), .calibrated = point.at(1).get<double>()});
    if (!select || !weight || curve.lanes < 1 || !is_curve(curve.points)) throw refusal;
    curve.select = *select;
    curve.weight = *weight;
    return curve;
  } catch (const Json::exception&) {
    throw refusal;
  }
}

ConfidenceKind confidence_kind(const Selection& selection) {
  switch (selection.kind) {
    case SelectionKind::none:
      return ConfidenceKind::none;
    case SelectionKind::vote:
      return selection.weight == VoteWeight::equal ? ConfidenceKind::vote_share
                                                   : ConfidenceKind::weight_share;
    case SelectionKind::logprob:
    case SelectionKind::first:
    case SelectionKind::then:
      return ConfidenceKind::mean_probability;
    case SelectionKind::verifier:
      break;
  }
  return ConfidenceKind::verifier_score;
}

bool fits(const CalibrationCurve& curve, const Selection& selection, int32_t lanes) {
  const bool votes = selection.kind == SelectionKind::vote;
  return curve.select == selection.kind && curve.lanes == lanes &&
         (!votes || curve.weight == selection.weight);
}

}  // namespace lanerope
