// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>

#include "eval/metrics.h"
#include "eval/report_questions.h"

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

// One HTML page that holds its data and needs no network: accuracy against budget and against tokens with
// intervals, tables, costs, ways to choose, reliability, and what each lane answered.
std::string report_page(std::span<const ArmScore> scores, const ReportQuestions& questions,
                        const ReportOptions& options);

}  // namespace lanerope::eval
