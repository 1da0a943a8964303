// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/format.h"
#include "cli/output.h"
#include "eval/comparison.h"
#include "eval/results_folder.h"
#include "lanerope/errors.h"

namespace lanerope::cli {

namespace {

using Json = nlohmann::ordered_json;

constexpr auto footer =
    "Both must have been asked the same questions. FOLDER is that of --out, ARM one of its arms; ARM may be "
    "left out\n"
    "where there is one.\n"
    "\n"
    "Differences have 95 % intervals by bootstrap over the questions, the same resamples for both (paired). "
    "The p-value\n"
    "is McNemar's, on pass@1. Tokens and seconds to an accuracy are those of the smallest budget at which "
    "maj@k\n"
    "reaches it. docs/evaluation.md has the rest.\n"
    "\n"
    "Examples:\n"
    "  lanerope eval compare results:independent results:lanerope\n"
    "  lanerope eval compare before after --accuracy 0.4,0.5 --json";

struct CompareFlags {
  std::string first;
  std::string second;
  int32_t budget = 0;
  std::vector<double> accuracies;
  bool unfinished = false;
  uint64_t seed = 1;
  bool json = false;
};

std::string percent(double share) {
  return with_digits(100 * share, 1);
}

std::string signed_percent(double share) {
  return (share > 0 ? "+" : "") + percent(share);
}

Json json_of(const eval::Estimate& estimate) {
  return {{"value", estimate.value}, {"low", estimate.low}, {"high", estimate.high}};
}

Json json_of(const eval::Contrast& contrast) {
  return {{"first", json_of(contrast.first)},
          {"second", json_of(contrast.second)},
          {"difference", json_of(contrast.difference)},
          {"second_better", contrast.second_better}};
}

Json json_of(const std::optional<eval::Price>& price) {
  if (!price) return nullptr;
  return {{"budget", price->budget}, {"total_tokens", price->total_tokens}, {"seconds", price->seconds}};
}

Json json_of(const std::vector<eval::CurveAt>& curve) {
  Json list = Json::array();
  for (const eval::CurveAt& at : curve) {
    Json point = json_of(std::optional(at.price));
    point["maj"] = at.majority;
    list.push_back(std::move(point));
  }
  return list;
}

Json json_of(const CompareFlags& flags, const eval::Comparison& result) {
  Json prices = Json::array();
  for (const eval::PricePair& pair : result.prices) {
    prices.push_back(
        {{"accuracy", pair.accuracy}, {"first", json_of(pair.first)}, {"second", json_of(pair.second)}});
  }
  return {{"first", flags.first},
          {"second", flags.second},
          {"questions", result.questions},
          {"budget", result.budget},
          {"lanes_total", {result.lanes.first, result.lanes.second}},
          {"maj", json_of(result.majority)},
          {"pass", json_of(result.pass)},
          {"oracle", json_of(result.oracle)},
          {"mcnemar",
           {{"first_alone", result.mcnemar.first_alone},
            {"second_alone", result.mcnemar.second_alone},
            {"p", result.mcnemar.p},
            {"exact", result.mcnemar.exact}}},
          {"to_accuracy", std::move(prices)},
          {"curves", {{"first", json_of(result.first_curve)}, {"second", json_of(result.second_curve)}}}};
}

std::string difference_text(const eval::Contrast& contrast) {
  const eval::Estimate& difference = contrast.difference;
  return signed_percent(difference.value) + " [" + signed_percent(difference.low) + ", " +
         signed_percent(difference.high) + "]";
}

std::string metrics_table(const eval::Comparison& result) {
  const std::string majority =
      result.lanes.first == result.lanes.second ? "maj@" + std::to_string(result.lanes.first) : "maj@lanes";
  std::vector<std::vector<std::string>> rows = {{"per cent", "A", "B", "B - A", "resamples with B better"}};
  const auto add = [&](const std::string& name, const eval::Contrast& contrast) {
    rows.push_back({name, percent(contrast.first.value), percent(contrast.second.value),
                    difference_text(contrast), percent(contrast.second_better) + " %"});
  };
  add(majority, result.majority);
  add("pass@1", result.pass);
  add("oracle", result.oracle);
  return table_text(rows);
}

std::string p_text(double p) {
  return p < 0.0001 ? "p < 0.0001" : "p = " + with_digits(p, p < 0.01 ? 4 : 2);
}

std::string mcnemar_text(const eval::McNemar& test) {
  return "McNemar on pass@1: A is right more often on " + std::to_string(test.first_alone) +
         " questions, B on " + std::to_string(test.second_alone) + "; " + p_text(test.p) + " (two-sided" +
         (test.exact ? ", exact)\n" : ", chi-squared)\n");
}

std::string prices_table(const eval::Comparison& result) {
  if (result.prices.empty()) return "Neither arm reaches 10 % by maj@k.\n";
  std::vector<std::vector<std::string>> rows = {
      {"to reach", "budget A", "B", "tokens in all A", "B", "seconds A", "B"}};
  const auto cell = [](const std::optional<eval::Price>& price, const auto& show) {
    return price ? show(*price) : std::string("-");
  };
  for (const eval::PricePair& pair : result.prices) {
    std::vector<std::string> row = {percent(pair.accuracy) + " %"};
    const auto add = [&](const auto& show) {
      row.push_back(cell(pair.first, show));
      row.push_back(cell(pair.second, show));
    };
    add([](const eval::Price& price) { return std::to_string(price.budget); });
    add([](const eval::Price& price) { return with_digits(price.total_tokens, 0); });
    add([](const eval::Price& price) { return with_digits(price.seconds, 2); });
    rows.push_back(std::move(row));
  }
  return table_text(rows) +
         "By maj@k. Budget: tokens that each lane may spend. Tokens in all: of all lanes of a question, "
         "mean. Seconds:\n"
         "of a question's decoding, its groups beside one another, with whatever else ran at the time.\n";
}

std::string text_of(const CompareFlags& flags, const eval::Comparison& result) {
  const auto lanes = [](int32_t count) { return std::to_string(count) + (count == 1 ? " lane" : " lanes"); };
  return "A: " + flags.first + ", " + lanes(result.lanes.first) + " a question\nB: " + flags.second + ", " +
         lanes(result.lanes.second) + " a question\n" + std::to_string(result.questions) +
         " questions, each lane with at most " + std::to_string(result.budget) + " tokens\n\n" +
         metrics_table(result) + mcnemar_text(result.mcnemar) + "\n" + prices_table(result);
}

// Those that both were asked, from the first on.
std::vector<eval::EvalQuestion> common_questions(const eval::ArmResults& first,
                                                 const eval::ArmResults& second) {
  std::vector<eval::EvalQuestion> common;
  for (size_t i = 0; i < std::min(first.questions.size(), second.questions.size()); ++i) {
    const eval::EvalQuestion& a = first.questions[i];
    const eval::EvalQuestion& b = second.questions[i];
    if (!eval::differing_key(a, b).empty() && !eval::differing_key(b, a).empty()) {
      throw InvalidRequest(first.folder + " and " + second.folder +
                           " were asked different questions (number " + std::to_string(i) +
                           " differs); compare arms that were asked the same");
    }
    common.push_back(a.parts.empty() ? b : a);
  }
  return common;
}

int compare(const CompareFlags& flags) {
  eval::ArmResults first = eval::read_arm(flags.first);
  eval::ArmResults second = eval::read_arm(flags.second);
  const std::vector<eval::EvalQuestion> questions = common_questions(first, second);
  // One name may stand in both folders.
  const std::vector<std::string> names = {"A", "B"};
  std::vector<eval::EvalRecord> records;
  for (eval::EvalRecord& record : first.records) record.arm = "A";
  for (eval::EvalRecord& record : second.records) record.arm = "B";
  std::ranges::move(first.records, std::back_inserter(records));
  std::ranges::move(second.records, std::back_inserter(records));
  const int32_t most = std::min(first.budget(), second.budget());
  if (flags.budget > most) {
    throw InvalidRequest("--budget " + std::to_string(flags.budget) + " is more than the " +
                         std::to_string(most) +
                         " tokens that both arms were sampled with; give at most that");
  }
  const eval::PairedArms paired = eval::pair_arms(names, records, eval::truths_of(questions));
  if (paired.questions.empty())
    throw InvalidRequest("no question was answered whole under both arms; let lanerope eval finish them");
  const eval::Comparison result =
      eval::compare_arms(paired, {.budget = flags.budget > 0 ? flags.budget : most,
                                  .unfinished = flags.unfinished,
                                  .accuracies = flags.accuracies,
                                  .seed = flags.seed});
  print_out(flags.json ? json_of(flags, result).dump(1) + "\n" : text_of(flags, result));
  return exit_ok;
}

}  // namespace

Command add_eval_compare(CLI::App& eval) {
  auto flags = std::make_shared<CompareFlags>();
  CLI::App* app =
      eval.add_subcommand("compare", "Compare two arms: differences, p-value, cost of an accuracy");
  app->footer(footer);
  app->add_option("A", flags->first, "FOLDER or FOLDER:ARM")->required();
  app->add_option("B", flags->second, "FOLDER or FOLDER:ARM")->required();
  app->add_option("--budget", flags->budget,
                  "Tokens that a lane may spend (default: all that both were sampled with)")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
  app->add_option("--accuracy", flags->accuracies, "Say what these accuracies cost, 0 to 1 (default: tenths)")
      ->type_name("LIST")
      ->delimiter(',')
      ->check(CLI::Range(0.0, 1.0));
  app->add_flag("--count-unfinished", flags->unfinished,
                "A lane that is cut off votes with the marked answer that it has written so far");
  app->add_option("--seed", flags->seed, "Of the resamples")->capture_default_str();
  app->add_flag("--json", flags->json, "Print JSON, with the curves");
  return {app, [flags] { return compare(*flags); }};
}

}  // namespace lanerope::cli
