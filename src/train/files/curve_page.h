// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <ostream>
#include <span>
#include <string>
#include <vector>

#include "train/files/curve_log.h"

namespace lanerope::train {

// A run and what it is called on the page.
struct NamedCurve {
  std::string name = {};
  std::vector<CurvePoint> points = {};
};

// Of longer runs, so many neighbouring points are put together into their mean; what is in `extra` is always
// kept point by point.
struct CurvePageLimits {
  size_t points = 4000;  // of a run
};

// Writes one HTML page that holds its data and needs no network: a chart for each value, all runs laid over
// one another.
void write_curve_page(std::span<const NamedCurve> curves, std::ostream& out, CurvePageLimits limits = {});

// A curve log and the name of its run; an empty name stands for the name of the log's folder.
struct CurveLogName {
  std::string path = {};
  std::string name = {};
};

// The same for logs, into a file that appears whole or not at all. Throws as read_curve and write_whole_file
// do.
void write_curve_page_file(const std::string& path, std::span<const CurveLogName> logs);

}  // namespace lanerope::train
