// SPDX-License-Identifier: Apache-2.0
#include "eval/report.h"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <nlohmann/json.hpp>

#include "eval/report_page_template.h"

namespace lanerope::eval {

namespace {

using Json = nlohmann::ordered_json;

Json share_json(const Estimate& share) {
  return {{"value", share.value}, {"low", share.low}, {"high", share.high}};
}

std::string percent(double share) {
  char text[16];
  std::snprintf(text, sizeof text, "%.1f", 100 * share);
  return text;
}

std::string interval(const Estimate& share) {
  return percent(share.value) + " [" + percent(share.low) + ", " + percent(share.high) + "]";
}

// Rows of cells as lines, columns as wide as they must be; the first column to the left.
std::string aligned(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string space(widths[i] - row[i].size(), ' ');
      text += (i > 0 ? "  " : "") + (i == 0 ? row[i] + space : space + row[i]);
    }
    text += "\n";
  }
  return text;
}

Json calibration_json(const Calibration& calibration) {
  Json json = {{"error", calibration.error}, {"bins", Json::array()}};
  for (const ReliabilityBin& bin : calibration.bins)
    json["bins"].push_back({{"confidence", bin.confidence}, {"right", bin.right}, {"count", bin.count}});
  return json;
}

Json timing_json(const ArmScore& score) {
  Json json = {{"seconds", score.timing.seconds}, {"tokens", score.tokens}, {"steps", score.timing.steps},
               {"milliseconds_a_step", nullptr},  {"at_lanes", nullptr},    {"step_ratio", nullptr},
               {"steps_by_lanes", Json::array()}};
  if (score.usual_step) {
    json["milliseconds_a_step"] = score.usual_step->milliseconds;
    json["at_lanes"] = score.usual_step->lanes;
  }
  if (score.step_ratio) json["step_ratio"] = *score.step_ratio;
  for (const StepTime& time : score.timing.at) {
    json["steps_by_lanes"].push_back(
        {{"lanes", time.lanes}, {"steps", time.steps}, {"milliseconds", time.milliseconds}});
  }
  return json;
}

std::string fixed(double value, int decimals) {
  char text[48];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

std::string cost_table(std::span<const ArmScore> scores) {
  std::vector<std::vector<std::string>> rows = {
      {"cost", "N", "lanes", "tokens", "seconds", "ms a step", "at lanes", "x", "ECE votes", "ECE logprob"}};
  for (const ArmScore& score : scores) {
    rows.push_back({score.arm, std::to_string(score.lanes), std::to_string(score.lanes_total),
                    std::to_string(score.tokens), fixed(score.timing.seconds, 1),
                    score.usual_step ? fixed(score.usual_step->milliseconds, 2) : "-",
                    score.usual_step ? std::to_string(score.usual_step->lanes) : "-",
                    score.step_ratio ? fixed(*score.step_ratio, 2) : "-", percent(score.by_votes.error),
                    percent(score.by_logprob.error)});
  }
  return aligned(rows) +
         "x: times the independent arm's step while as many lanes are live. ECE: calibration error, per "
         "cent.\n";
}

std::string budget_table(std::span<const ArmScore> scores, const std::string& title,
                         const std::function<std::string(const BudgetScore&)>& cell) {
  std::vector<std::vector<std::string>> rows = {{title}};
  for (const BudgetScore& budget : scores[0].budgets) rows[0].push_back(std::to_string(budget.budget));
  for (const ArmScore& score : scores) {
    rows.push_back({score.arm});
    for (const BudgetScore& budget : score.budgets) rows.back().push_back(cell(budget));
  }
  return aligned(rows) + "\n";
}

// maj@4, or maj@lanes where arms differ: the table of costs has the number of each. One text alone, such as
// that of beam search, has nothing to vote on and fits any.
std::string majority_name(std::span<const ArmScore> scores) {
  int32_t total = 1;
  for (const ArmScore& score : scores) {
    if (score.lanes_total == 1 || score.lanes_total == total) continue;
    if (total > 1) return "maj@lanes";
    total = score.lanes_total;
  }
  return "maj@" + std::to_string(total);
}

// At the largest budget: a row an arm, a column a value.
std::string by_table(std::span<const ArmScore> scores, const std::string& title) {
  std::vector<std::vector<std::string>> rows = {{title}, {"questions"}};
  for (const ByScore& by : scores[0].by) {
    rows[0].push_back(by.value.empty() ? "-" : by.value);
    rows[1].push_back(std::to_string(by.questions));
  }
  for (const ArmScore& score : scores) {
    rows.push_back({score.arm});
    for (const ByScore& by : score.by) rows.back().push_back(percent(by.majority.back()));
  }
  return aligned(rows) + "\n";
}

}  // namespace

Json report_json(std::span<const ArmScore> scores) {
  Json arms = Json::array();
  for (const ArmScore& score : scores) {
    Json json = {{"arm", score.arm},
                 {"questions", score.questions},
                 {"lanes", score.lanes},
                 {"lanes_total", score.lanes_total}};
    json["cost"] = timing_json(score);
    json["budgets"] = Json::array();
    for (size_t b = 0; b < score.budgets.size(); ++b) {
      const BudgetScore& budget = score.budgets[b];
      json["budgets"].push_back({{"budget", budget.budget},
                                 {"maj", share_json(budget.majority)},
                                 {"pass", share_json(budget.pass)},
                                 {"oracle", share_json(budget.oracle)},
                                 {"gain", share_json(score.gain[b])},
                                 {"ended", budget.ended},
                                 {"mean_tokens", budget.mean_tokens}});
    }
    json["by"] = Json::array();
    for (const ByScore& by : score.by)
      json["by"].push_back({{"value", by.value}, {"questions", by.questions}, {"maj", by.majority}});
    json["calibration"] = {{"votes", calibration_json(score.by_votes)},
                           {"logprob", calibration_json(score.by_logprob)}};
    arms.push_back(std::move(json));
  }
  return {{"arms", arms}};
}

std::string report_text(std::span<const ArmScore> scores, const ReportOptions& options) {
  if (scores.empty()) return "No question has been answered under every arm yet.\n";
  std::string text =
      std::to_string(scores[0].questions) + " questions; percentages by tokens a lane may spend\n\n";
  const std::string majority = majority_name(scores);
  text += budget_table(scores, majority, [](const BudgetScore& b) { return percent(b.majority.value); });
  text += budget_table(scores, "pass@1", [](const BudgetScore& b) { return percent(b.pass.value); });
  text += budget_table(scores, "oracle", [](const BudgetScore& b) { return percent(b.oracle.value); });
  text += budget_table(scores, "ended", [](const BudgetScore& b) { return percent(b.ended); });
  std::vector<std::vector<std::string>> rows = {{majority + " with 95 % interval"}};
  for (const BudgetScore& budget : scores[0].budgets) rows[0].push_back(std::to_string(budget.budget));
  for (const ArmScore& score : scores) {
    rows.push_back({score.arm});
    for (const BudgetScore& budget : score.budgets) rows.back().push_back(interval(budget.majority));
  }
  text += aligned(rows) + "\n";
  if (!scores[0].by.empty()) text += by_table(scores, majority + " by " + options.by);
  return text + cost_table(scores);
}

std::string report_page(std::span<const ArmScore> scores, const ReportOptions& options) {
  std::string page(report_page_template());
  const auto put = [&page](const std::string& place, std::string value) {
    // "</script" must not stand in the data.
    for (size_t at = value.find("</"); at != std::string::npos; at = value.find("</", at + 3))
      value.replace(at, 2, "<\\/");
    const size_t at = page.find(place);
    if (at != std::string::npos) page.replace(at, place.size(), value);
  };
  put("\"LANEROPE_TITLE\"", Json(options.title).dump());
  put("\"LANEROPE_BY\"", Json(options.by).dump());
  put("\"LANEROPE_REPORT\"", report_json(scores).dump());
  return page;
}

}  // namespace lanerope::eval
