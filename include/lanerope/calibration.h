// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lanerope/request.h"
#include "lanerope/result.h"

namespace lanerope {

struct CurvePoint {
  double claimed = 0;     // the confidence that a selection gives
  double calibrated = 0;  // how often claims like that are right
};

// From the confidence of one kind of selection over so many lanes to how often such a claim is right; fitted
// by `lanerope calibrate` on records of an evaluation.
struct CalibrationCurve {
  SelectionKind select = SelectionKind::vote;
  VoteWeight weight = VoteWeight::equal;
  int32_t lanes = 0;
  std::vector<CurvePoint> points = {};  // ascending in both; straight lines between, level outside
};

// The calibrated confidence. The curve has at least one point.
double calibrated(const CalibrationCurve& curve, double claimed);

// The file that `lanerope calibrate` writes, and back. Reading throws SystemError where the file cannot be
// read and BadFile where it is none of these.
std::string to_file_text(const CalibrationCurve& curve);
CalibrationCurve read_calibration(const std::string& file);

// What the confidence of a selection says where nothing is calibrated and no other way has to be taken.
ConfidenceKind confidence_kind(const Selection& selection);

// Whether the curve was fitted for this selection over so many lanes.
bool fits(const CalibrationCurve& curve, const Selection& selection, int32_t lanes);

}  // namespace lanerope
