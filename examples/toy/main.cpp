// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>

#include "cli/choice.h"
#include "cli/exit_code.h"
#include "cli/help_format.h"
#include "cli/line_output.h"
#include "cli/output.h"
#include "cli/parse_error.h"
#include "data/mixture.h"
#include "data/trace_file.h"
#include "lanerope/errors.h"
#include "lanerope/model.h"
#include "toy/trace_checker.h"
#include "toy/traces.h"
#include "toy/word_problem.h"

namespace lanerope::toy {

namespace {

constexpr auto description =
    "lanerope-toy: made word problems, and what lanes write to solve them.\n"
    "\n"
    "The bundled model was trained and is measured on them; docs/made-task.md shows the task.";

constexpr auto footer =
    "Examples:\n"
    "  lanerope-toy problems --count 1000 --split test --parts 2-8 -o test.jsonl\n"
    "  lanerope-toy traces --count 200000 --lanes 1:0.25,2:0.2,4:0.35,8:0.2 -o train.jsonl\n"
    "  lanerope-toy check train.jsonl";

constexpr auto problems_footer =
    "Writes one JSON object a line: {\"question\": TEXT, \"answer\": TEXT, \"parts\": K}. The splits share "
    "no\n"
    "problem: which one a problem belongs to is a hash of its numbers.\n"
    "\n"
    "Examples:\n"
    "  lanerope-toy problems --count 1000 --split test --seed 1 --parts 2-8 -o test.jsonl\n"
    "  lanerope-toy problems --count 100 --split dev --parts 2:40,3:60 -o dev.jsonl";

constexpr auto traces_footer =
    "Writes one JSON object a line: {\"question\": TEXT, \"answer\": TEXT, \"lanes\": [TEXT, ...], "
    "\"parts\": K}.\n"
    "One lane is a chain of thought; several lanes share the parts and hand over their sums. With --then\n"
    "they see nothing of one another, and the line has \"second_stage\": {\"told\": TEXT, \"written\": "
    "TEXT}.\n"
    "\n"
    "Examples:\n"
    "  lanerope-toy traces --count 200000 --parts 1-8 --seed 7 -o pretrain.jsonl\n"
    "  lanerope-toy traces --count 200000 --lanes 1:0.25,2:0.2,4:0.35,8:0.2 -o lanes.jsonl";

constexpr auto check_footer =
    "Reads the questions and what the lanes wrote, computes everything again and names the first fault. "
    "Where\n"
    "lanes have labels, it only checks that those labelled right, and no others, end with the answer.\n"
    "\n"
    "Examples:\n"
    "  lanerope-toy check train.jsonl dev.jsonl\n"
    "  lanerope-toy traces --count 1000 --lanes 4 | lanerope-toy check -";

struct DataFlags {
  std::optional<int64_t> count;
  Split split = Split::train;
  uint64_t seed = 0;
  std::string parts = "2-8";
  std::string lanes = "1";
  std::optional<std::string> then;
  Difficulty difficulty;
  std::string output = "-";
  std::vector<std::string> files;
};

// The number of parts of each problem to write.
class PartsPlan {
 public:
  PartsPlan(const DataFlags& flags, data::RandomStream& random)
      : mixture_(data::Mixture::parse(flags.parts, {.what = "--parts", .least = 1, .largest = max_parts})) {
    count_ = flags.count.value_or(mixture_.counts() ? mixture_.total_count() : 1000);
    if (!mixture_.counts()) return;
    if (count_ != mixture_.total_count()) {
      throw InvalidRequest("--count is " + std::to_string(count_) + ", but the counts of --parts are " +
                           std::to_string(mixture_.total_count()) +
                           " together; make them equal, or write weights with a point, as in 2:0.4,3:0.6");
    }
    exact_ = mixture_.shuffled_counts(random);
  }

  int64_t count() const { return count_; }

  int32_t at(int64_t index, data::RandomStream& random) const {
    return exact_.empty() ? mixture_.draw(random) : exact_[static_cast<size_t>(index)];
  }

 private:
  data::Mixture mixture_;
  int64_t count_ = 0;
  std::vector<int32_t> exact_;
};

int write_problems(const DataFlags& flags, bool with_lanes) {
  data::RandomStream random(flags.seed);
  const PartsPlan plan(flags, random);
  const data::Mixture lanes =
      data::Mixture::parse(flags.lanes, {.what = "--lanes", .least = 1, .largest = max_trace_lanes});
  const WordProblemSource source(flags.difficulty, flags.split);
  cli::LineOutput output(flags.output);
  cli::ProgressNote progress("of " + std::to_string(plan.count()) + (with_lanes ? " traces" : " problems"));
  for (int64_t i = 0; i < plan.count(); ++i) {
    const WordProblem problem = source.draw(plan.at(i, random), random);
    const auto trace = [&] {
      if (!with_lanes) return make_problem_line(problem);
      const int32_t n_lanes = lanes.draw(random);
      return flags.then ? make_second_stage_trace(problem, n_lanes, *flags.then)
                        : make_trace(problem, n_lanes);
    };
    output.write(data::trace_line(trace()));
    progress.show(i + 1);
  }
  output.finish();
  return cli::exit_ok;
}

int64_t check_lines(std::istream& lines, const std::string& name) {
  data::TraceReader reader(lines, name);
  cli::ProgressNote progress("traces of " + name + " are right");
  int64_t checked = 0;
  while (const std::optional<data::Trace> trace = reader.next()) {
    if (const std::optional<std::string> fault = find_fault(*trace)) {
      throw BadFile(reader.where() + ": " + *fault);
    }
    progress.show(++checked);
  }
  return checked;
}

int check(const DataFlags& flags) {
  for (const std::string& file : flags.files) {
    std::ifstream stream;
    if (file != "-") {
      stream.open(file, std::ios::binary);
      if (!stream) throw SystemError(file + " cannot be read; check the name and its permissions");
    }
    const std::string name = file == "-" ? "standard input" : file;
    const int64_t checked = check_lines(file == "-" ? std::cin : stream, name);
    cli::print_out(name + ": " + std::to_string(checked) + (checked == 1 ? " trace is" : " traces are") +
                   " right\n");
  }
  return cli::exit_ok;
}

// "11-99".
void add_range(CLI::App& app, const std::string& option, NumberRange& range, const std::string& help) {
  const auto read = [option, &range](const std::string& text) {
    const size_t dash = text.find('-');
    const std::string first = text.substr(0, dash);
    const std::string last = dash == std::string::npos ? first : text.substr(dash + 1);
    if (!CLI::detail::lexical_cast(first, range.first) || !CLI::detail::lexical_cast(last, range.last)) {
      throw CLI::ValidationError(option, "'" + text + "' is not a range such as 11-99");
    }
  };
  app.add_option_function<std::string>(option, read, help)
      ->type_name("RANGE")
      ->default_str(std::to_string(range.first) + "-" + std::to_string(range.last));
}

void add_problem_flags(CLI::App& app, DataFlags& flags) {
  app.add_option("--count", flags.count, "How many lines (default: the counts of --parts, or 1000)")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber);
  std::vector<std::string> splits;
  for (const Split split : {Split::train, Split::dev, Split::test}) splits.emplace_back(name(split));
  cli::add_word_choice(app, "--split", splits,
                       [&flags](const std::string& word) {
                         for (const Split split : {Split::train, Split::dev, Split::test}) {
                           if (name(split) == word) flags.split = split;
                         }
                       })
      ->description("Which problems")
      ->default_str("train");
  app.add_option("--seed", flags.seed, "The same seed writes the same file")
      ->type_name("N")
      ->capture_default_str();
  app.add_option("--parts", flags.parts,
                 "Parts of a problem: 4, 2-8, weights 2:0.5,4:0.5 or exact counts 2:40,3:60")
      ->type_name("MIX")
      ->capture_default_str();
  add_range(app, "--first", flags.difficulty.first, "Range of the first factor of a part");
  add_range(app, "--second", flags.difficulty.second, "Range of the second factor");
  add_range(app, "--third", flags.difficulty.third, "Range of what is added or taken away");
  app.add_option("--largest-total", flags.difficulty.largest_total,
                 "Only problems whose answer is at most this (0: any)")
      ->type_name("N")
      ->capture_default_str();
  app.add_option("-o,--output", flags.output, "Where to write; - is standard output")
      ->type_name("FILE")
      ->capture_default_str();
}

int run(int argc, char** argv) {
  CLI::App app(description, "lanerope-toy");
  app.footer(footer);
  app.require_subcommand(0, 1);
  app.option_defaults()->take_last();
  app.set_version_flag("--version", "lanerope-toy " + std::string(version()), "Print the version");
  app.formatter(std::make_shared<cli::HelpFormatter>());
  DataFlags flags;

  CLI::App* problems = app.add_subcommand("problems", "Write word problems with their answers");
  problems->footer(problems_footer);
  add_problem_flags(*problems, flags);

  CLI::App* traces = app.add_subcommand("traces", "Write word problems with what lanes write to solve them");
  traces->footer(traces_footer);
  add_problem_flags(*traces, flags);
  traces->add_option("--lanes", flags.lanes, "Lanes of a trace, as --parts: 4, or weights 1:0.5,4:0.5")
      ->type_name("MIX")
      ->capture_default_str();
  traces
      ->add_option("--then", flags.then,
                   "Lanes end with their sums, and a second stage that is told TEXT adds them up")
      ->type_name("TEXT");

  CLI::App* check_app = app.add_subcommand("check", "Check trace files by computing everything again");
  check_app->footer(check_footer);
  check_app->add_option("FILE", flags.files, "Trace files; - is standard input")->required();

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    cli::print_out(cli::innermost(app).help());
    return cli::exit_ok;
  } catch (const CLI::CallForVersion&) {
    cli::print_out(app.version() + "\n");
    return cli::exit_ok;
  } catch (const CLI::ParseError& error) {
    cli::print_note("lanerope-toy: error: " + cli::parse_error_text(app, error));
    return cli::exit_invalid_request;
  }
  if (check_app->parsed()) return check(flags);
  if (problems->parsed() || traces->parsed()) return write_problems(flags, traces->parsed());
  cli::print_out(app.help());
  return cli::exit_ok;
}

}  // namespace

}  // namespace lanerope::toy

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe shows as a failed write
  try {
    return lanerope::toy::run(argc, argv);
  } catch (const std::exception& error) {
    const lanerope::cli::Failure failure = lanerope::cli::describe_failure(error);
    if (!failure.message.empty()) lanerope::cli::print_note("lanerope-toy: error: " + failure.message);
    return failure.code;
  }
}
