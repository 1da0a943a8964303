// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fstream>
#include <memory>

#include "cli/choice.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/format.h"
#include "cli/output.h"
#include "eval/calibrate.h"
#include "eval/results_folder.h"
#include "eval/selections.h"
#include "lanerope/errors.h"

namespace lanerope::cli {

namespace {

constexpr auto footer =
    "A confidence of 0.75 that is a share of votes need not mean that three of four such answers are right. "
    "This fits\n"
    "a curve from the one to the other on the records of an evaluation, and writes it to a small file: run "
    "and serve\n"
    "take it with --calibration and then give calibrated confidences. It holds for one way to choose "
    "(--select,\n"
    "--vote-weight) and one number of lanes, and for questions, model and budget like those of the records.\n"
    "\n"
    "What is printed is measured on questions that the curve was not fitted on: ten folds, each with a curve "
    "of the\n"
    "others. The file's curve is fitted on all of them.\n"
    "\n"
    "Examples:\n"
    "  lanerope calibrate results:lanerope -o votes.json\n"
    "  lanerope calibrate results:independent --vote-weight self-certainty --method isotonic -o "
    "weighted.json\n"
    "  lanerope run -m model.gguf -n 4 --calibration votes.json \"What is 17 * 23?\"";

struct CalibrateFlags {
  std::string results;
  eval::Way way;
  eval::CalibrationMethod method = eval::CalibrationMethod::logistic;
  int32_t budget = 0;
  std::string out;
  uint64_t seed = 1;
};

// A row a bin, before and after side by side.
std::string bins_table(const eval::Reliability& before, const eval::Reliability& after) {
  std::vector<std::vector<std::string>> rows = {
      {"before", "claims", "right %", "after", "claims", "right %"}};
  const auto add = [](std::vector<std::string>& row, const std::vector<eval::ReliabilityBin>& bins,
                      size_t i) {
    const bool there = i < bins.size();
    row.push_back(there ? with_digits(bins[i].confidence, 2) : "");
    row.push_back(there ? std::to_string(bins[i].count) : "");
    row.push_back(there ? with_digits(100 * bins[i].right, 1) : "");
  };
  for (size_t i = 0; i < std::max(before.bins.size(), after.bins.size()); ++i) {
    std::vector<std::string> row;
    add(row, before.bins, i);
    add(row, after.bins, i);
    rows.push_back(std::move(row));
  }
  return table_text(rows);
}

std::string report(const eval::CalibrationCheck& check, const std::string& what) {
  return what + "\n\n" + bins_table(check.before, check.after) + "\nexpected calibration error  " +
         with_digits(100 * check.before.error, 1) + " % before, " + with_digits(100 * check.after.error, 1) +
         " % after\nBrier score                 " + with_digits(check.brier_before, 4) + " before, " +
         with_digits(check.brier_after, 4) + " after\n";
}

int run(const CalibrateFlags& flags) {
  eval::ArmResults results = eval::read_arm(flags.results);
  const std::vector<std::string> names = {results.arm};
  const eval::PairedArms paired = eval::pair_arms(names, results.records, eval::truths_of(results.questions));
  const std::string arm = results.folder + ":" + results.arm;
  if (paired.questions.empty())
    throw InvalidRequest(arm + " has no question whole; let lanerope eval finish it");
  int32_t most = results.budget();
  const int32_t budget = flags.budget > 0 ? flags.budget : most;
  // A lane that slept ends behind its budget, on the clock.
  for (const eval::EvalRecord& record : results.records) {
    for (const eval::EvalLane& lane : record.lanes) most = std::max(most, lane.length);
  }
  if (budget > most) {
    throw InvalidRequest("--budget " + std::to_string(budget) + " is more than the " + std::to_string(most) +
                         " steps that " + arm + " was sampled with; give at most that");
  }
  std::vector<eval::Claim> claims;
  for (const eval::QuestionLanes& question : paired.arms[0].questions) {
    const std::vector<eval::LaneVote> votes = question.within(budget, false);
    if (const auto claim = eval::claim_of(flags.way, question, votes)) claims.push_back(*claim);
  }
  constexpr size_t fewest = 20;
  if (claims.size() < fewest) {
    throw InvalidRequest("selection by " + eval::name_of(flags.way) + " chose an answer for " +
                         std::to_string(claims.size()) + " questions of " + arm + ", and " +
                         std::to_string(fewest) + " are the fewest to fit anything on; ask more questions");
  }
  const int32_t lanes = paired.arms[0].lanes_total;
  const CalibrationCurve curve{.select = flags.way.select,
                               .weight = flags.way.weight,
                               .lanes = lanes,
                               .points = eval::fit_curve(claims, flags.method)};
  const eval::CalibrationCheck check =
      eval::check_calibration(claims, {.method = flags.method, .seed = flags.seed});
  std::ofstream stream(flags.out, std::ios::binary);
  stream << to_file_text(curve);
  stream.flush();
  if (!stream) throw SystemError(flags.out + " cannot be written; check the folder and the disk");
  print_out(report(check, "Selection by " + eval::name_of(flags.way) + " over " + std::to_string(lanes) +
                              " lanes, " + std::to_string(claims.size()) +
                              " answers, each with a curve of other questions"));
  print_note("wrote " + flags.out);
  return exit_ok;
}

}  // namespace

Command add_calibrate(CLI::App& root) {
  auto flags = std::make_shared<CalibrateFlags>();
  CLI::App* app =
      root.add_subcommand("calibrate", "Fit how often confidences are right, on records of an evaluation");
  app->footer(footer);
  app->add_option("RESULTS", flags->results, "FOLDER or FOLDER:ARM of lanerope eval")->required();
  app->add_option("-o,--output", flags->out, "Where to write the curve")->type_name("FILE")->required();
  add_choice(*app, "--select", flags->way.select, {SelectionKind::none, SelectionKind::then})
      ->description("Which lane is the answer (default: vote)");
  add_choice(*app, "--vote-weight", flags->way.weight)
      ->description("What the vote of a lane weighs (default: equal)");
  add_choice(*app, "--method", flags->method)
      ->description("Logistic for few questions, isotonic for a thousand and more (default: logistic)");
  app->add_option("--budget", flags->budget, "Tokens that a lane may spend (default: all that were sampled)")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
  app->add_option("--seed", flags->seed, "Of dealing questions into folds")->capture_default_str();
  return {app, [flags] {
            if (flags->way.select != SelectionKind::vote && flags->way.weight != VoteWeight::equal)
              throw InvalidRequest("--vote-weight goes with --select vote");
            return run(*flags);
          }};
}

}  // namespace lanerope::cli
