// SPDX-License-Identifier: Apache-2.0
#include "eval/report.h"

#include <algorithm>
#include <cmath>
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

Json reliability_json(const Reliability& reliability) {
  Json json = {{"error", reliability.error}, {"bins", Json::array()}};
  for (const ReliabilityBin& bin : reliability.bins)
    json["bins"].push_back({{"confidence", bin.confidence}, {"right", bin.right}, {"count", bin.count}});
  return json;
}

Json ways_json(const ArmScore& score) {
  Json list = Json::array();
  for (const WayScore& way : score.ways) {
    list.push_back({{"way", name_of(way.way)},
                    {"right", share_json(way.right)},
                    {"reliability", reliability_json(way.reliability)}});
  }
  return list;
}

Json sources_json(const ArmScore& score) {
  Json list = Json::array();
  for (const FromScore& from : score.sources)
    list.push_back({{"from", name(from.from)}, {"lanes", from.lanes}, {"right", from.right}});
  return list;
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
  json["question_seconds"] = Json::array();  // by budget
  for (const BudgetScore& budget : score.budgets) json["question_seconds"].push_back(budget.seconds);
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

// Of lanes; in tenths where those that list several answers are right in part.
std::string counted(double right) {
  return fixed(right, right == std::floor(right) ? 0 : 1);
}

std::string cost_table(std::span<const ArmScore> scores) {
  std::vector<std::vector<std::string>> rows = {
      {"cost", "N", "lanes", "tokens", "seconds", "ms a step", "at lanes", "x"}};
  for (const ArmScore& score : scores) {
    rows.push_back({score.arm, std::to_string(score.lanes), std::to_string(score.lanes_total),
                    std::to_string(score.tokens), fixed(score.timing.seconds, 1),
                    score.usual_step ? fixed(score.usual_step->milliseconds, 2) : "-",
                    score.usual_step ? std::to_string(score.usual_step->lanes) : "-",
                    score.step_ratio ? fixed(*score.step_ratio, 2) : "-"});
  }
  return aligned(rows) + "x: times the independent arm's step while as many lanes are live.\n";
}

// Ways to choose among the lanes, a column each, where any arm has more than one.
std::string ways_table(std::span<const ArmScore> scores) {
  std::vector<std::string> names;
  for (const Way& way : all_ways()) {
    const bool used = std::ranges::any_of(scores, [&](const ArmScore& score) {
      return std::ranges::find(score.ways, way, &WayScore::way) != score.ways.end();
    });
    if (used) names.push_back(name_of(way));
  }
  std::vector<std::vector<std::string>> rows = {{"chosen by"}};
  rows[0].insert(rows[0].end(), names.begin(), names.end());
  for (const ArmScore& score : scores) {
    rows.push_back({score.arm});
    for (const std::string& name : names) {
      const auto found =
          std::ranges::find_if(score.ways, [&](const WayScore& way) { return name_of(way.way) == name; });
      rows.back().push_back(found == score.ways.end() ? "-"
                                                      : percent(found->right.value) + " (" +
                                                            percent(found->reliability.error) + ")");
    }
  }
  return aligned(rows) +
         "Right, per cent, with the largest budget, and in brackets by how much the confidence is off "
         "(expected "
         "calibration error).\n";
}

// How answers were found, where that is known.
std::string sources_table(std::span<const ArmScore> scores) {
  std::vector<std::vector<std::string>> rows = {{"answers from"}};
  for (const Named<AnswerFrom>& from : names<AnswerFrom>()) rows[0].emplace_back(from.name);
  bool any = false;
  for (const ArmScore& score : scores) {
    rows.push_back({score.arm});
    for (const Named<AnswerFrom>& from : names<AnswerFrom>()) {
      const auto found = std::ranges::find(score.sources, from.value, &FromScore::from);
      const bool there = found != score.sources.end();
      any = any || there;
      rows.back().push_back(there ? counted(found->right) + "/" + std::to_string(found->lanes) : "-");
    }
  }
  if (!any) return "";
  return "\n" + aligned(rows) +
         "Lanes that are right, of those whose answer was found so (docs/answers.md).\n";
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
                                 {"mean_tokens", budget.mean_tokens},
                                 {"total_tokens", budget.total_tokens}});
    }
    json["by"] = Json::array();
    for (const ByScore& by : score.by)
      json["by"].push_back({{"value", by.value}, {"questions", by.questions}, {"maj", by.majority}});
    json["ways"] = ways_json(score);
    json["answers_from"] = sources_json(score);
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
  return text + cost_table(scores) + "\n" + ways_table(scores) + sources_table(scores);
}

std::string report_page(std::span<const ArmScore> scores, const ReportQuestions& questions,
                        const ReportOptions& options) {
  std::string page(report_page_template());
  const auto put = [&page](const std::string& place, const std::string& json) {
    // Neither "</script" nor "<!--" may stand in the data, and "<" stands in its strings alone.
    std::string value;
    for (const char c : json) value += c == '<' ? "\\u003c" : std::string(1, c);
    const size_t at = page.find(place);
    if (at != std::string::npos) page.replace(at, place.size(), value);
  };
  put("\"LANEROPE_TITLE\"", Json(options.title).dump());
  put("\"LANEROPE_BY\"", Json(options.by).dump());
  put("\"LANEROPE_REPORT\"", report_json(scores).dump());
  put("\"LANEROPE_QUESTIONS\"", questions_json(questions));
  return page;
}

}  // namespace lanerope::eval
