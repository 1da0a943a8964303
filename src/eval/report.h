// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>

#include "eval/metrics.h"

namespace lanerope::eval {

// Everything that was measured.
nlohmann::ordered_json report_json(std::span<const ArmScore> scores);

struct ReportOptions {
  std::string title = {};  // of the page
  std::string by = {};     // the key that ArmScore::by is by
};

// For a terminal: tables of maj@k, pass@1 and oracle by budget, shares as percentages, and one of what it
// cost.
std::string report_text(std::span<const ArmScore> scores, const ReportOptions& options = {});

// One HTML page that holds its data and needs no network: accuracy against budget with intervals, tables,
// costs, reliability.
std::string report_page(std::span<const ArmScore> scores, const ReportOptions& options);

}  // namespace lanerope::eval
