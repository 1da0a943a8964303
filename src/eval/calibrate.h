// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "eval/reliability.h"
#include "lanerope/calibration.h"
#include "lanerope/names.h"

namespace lanerope::eval {

// How the curve from confidence to the share that is right is fitted.
enum class CalibrationMethod {
  logistic,  // Platt: a logistic curve of two parameters; for few claims
  isotonic,  // the ascending steps of least squares (pool adjacent violators); for many
};

// The points of a curve, ascending. At least one claim.
std::vector<CurvePoint> fit_curve(std::span<const Claim> claims, CalibrationMethod method);

// What calibration makes of claims that it was not fitted on: they are dealt into so many folds, and each is
// looked at with a curve of the others.
struct CalibrationCheck {
  Reliability before = {};
  Reliability after = {};
  double brier_before = 0;  // mean squared distance of confidence and truth
  double brier_after = 0;
};

struct CheckOptions {
  CalibrationMethod method = CalibrationMethod::logistic;
  int32_t folds = 10;  // at most as many as claims
  uint64_t seed = 1;   // of the dealing
};

// At least two claims.
CalibrationCheck check_calibration(std::span<const Claim> claims, const CheckOptions& options);

}  // namespace lanerope::eval

namespace lanerope {
template <>
std::span<const Named<eval::CalibrationMethod>> names();
}  // namespace lanerope
