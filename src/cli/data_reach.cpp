// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/line_output.h"
#include "cli/output.h"
#include "data/trace_file.h"
#include "eval/solved_problems.h"
#include "lanerope/errors.h"

namespace lanerope::cli {

namespace {

constexpr auto footer =
    "FILE is what lanerope data rollout wrote. A problem is in reach if at least --share of its samples are "
    "right.\n"
    "Samples cost time, and most problems that no sample of the first few solves are out of reach: ask those "
    "that\n"
    "are left again.\n"
    "\n"
    "Examples:\n"
    "  lanerope data rollout -m model.gguf gsm8k/test.jsonl -n 1 --groups 4 -s 1 -o first.jsonl\n"
    "  lanerope data reach first.jsonl --share 0.25 -o again.jsonl\n"
    "  lanerope data rollout -m model.gguf again.jsonl -n 1 --groups 4 -s 2 -o second.jsonl\n"
    "  cat first.jsonl second.jsonl > solved.jsonl\n"
    "  lanerope data reach solved.jsonl --share 0.5 -o in-reach.jsonl";

struct ReachFlags {
  std::string file;
  std::string output = "-";
  double share = 0.5;
};

int run(const ReachFlags& flags) {
  const std::vector<eval::SolvedProblem> all = eval::read_solved(flags.file, {});
  int64_t samples = 0;
  int64_t right = 0;
  int64_t kept = 0;
  LineOutput output(flags.output);
  for (const eval::SolvedProblem& solved : all) {
    samples += solved.samples;
    right += solved.right;
    if (!solved.in_reach(flags.share)) continue;
    ++kept;
    data::Trace line{.question = solved.problem.question, .answer = solved.problem.answer};
    line.other = {{"samples", std::to_string(solved.samples)}, {"right", std::to_string(solved.right)}};
    output.write(data::trace_line(line));
  }
  if (samples == 0)
    throw InvalidRequest(flags.file + " holds no samples with labels; lanerope data rollout makes some");
  output.finish();
  print_note(std::to_string(kept) + " of " + std::to_string(all.size()) + " problems are in reach; " +
             std::to_string(right) + " of " + std::to_string(samples) + " samples are right");
  return exit_ok;
}

}  // namespace

Command add_data_reach(CLI::App& data) {
  auto flags = std::make_shared<ReachFlags>();
  CLI::App* app = data.add_subcommand("reach", "The problems that a model solves often enough");
  app->footer(footer);
  app->add_option("FILE", flags->file, "Samples of data rollout")->required();
  app->add_option("-o,--output", flags->output, "Where to write; - is standard output")
      ->type_name("FILE")
      ->capture_default_str();
  app->add_option("--share", flags->share, "Share of the samples that must be right")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  return {app, [flags] { return run(*flags); }};
}

}  // namespace lanerope::cli
