// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <system_error>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/line_output.h"
#include "cli/model_flags.h"
#include "cli/output.h"
#include "cli/request_flags.h"
#include "cli/text_source.h"
#include "cli/to_request.h"
#include "data/trace_file.h"
#include "lanerope/errors.h"
#include "rollout/dialogue.h"

namespace lanerope::cli {

namespace {

constexpr auto rollout_footer =
    "Reads questions with answers, as JSON lines {\"question\": TEXT, \"answer\": TEXT}; GSM8K's own files "
    "will "
    "do.\n"
    "Writes one group a line: {\"question\", \"answer\", \"lanes\": [TEXT, ...], \"labels\": [whether right, "
    "...],\n"
    "\"ended\": [whether by itself, ...]}. An output file that is there is gone on with: what it holds is "
    "not\n"
    "sampled again.\n"
    "\n"
    "Examples:\n"
    "  lanerope data rollout -m model.gguf questions.jsonl -n 4 --groups 2 -b 256 -o kto.jsonl\n"
    "  lanerope data rollout -m model.gguf questions.jsonl --coupling independent --temp 1 -o kto.jsonl";

constexpr auto collaborate_footer =
    "In every turn each assistant reads, in plain text, what all have written in the turns before, so any "
    "model\n"
    "can do it. The turns of one assistant, one after the other, are a lane. Files are as for rollout, and "
    "an\n"
    "output file that is there is gone on with; --only-right takes a new one.\n"
    "\n"
    "Examples:\n"
    "  lanerope data collaborate -m model.gguf questions.jsonl -n 3 -b 512 --turn 16 -o sft.jsonl\n"
    "  lanerope data collaborate -m model.gguf questions.jsonl --only-right -o sft.jsonl";

constexpr auto usual_instruction =
    "{n} assistants answer the question below together. They write at the same time, a few words in each "
    "turn, "
    "and read what all have written in the turns before. They share the work and use one another's results. "
    "Each of them ends with #### and the answer.";

struct SampleFlags {
  std::string questions = "-";
  std::string output = "-";
  int32_t groups = 1;
  int32_t parallel = 16;
  int32_t limit = 0;
  ModelFlags model;
  CellFlags cells;
  PromptFlags prompt;
  RequestFlags request;
  int32_t turn = 16;
  std::string fill;
  std::string instruction = usual_instruction;
  bool only_right = false;
};

std::vector<data::Trace> read_problems(const SampleFlags& flags) {
  std::ifstream stream;
  if (flags.questions != "-") {
    std::error_code error;
    if (std::filesystem::is_directory(flags.questions, error))
      throw InvalidRequest(flags.questions + " is a folder; give a file of questions in it");
    stream.open(flags.questions, std::ios::binary);
    if (!stream) throw SystemError(flags.questions + " cannot be read; check the name and its permissions");
  }
  data::TraceReader reader(flags.questions == "-" ? std::cin : stream,
                           flags.questions == "-" ? "standard input" : flags.questions);
  std::vector<data::Trace> problems;
  while (flags.limit == 0 || std::ssize(problems) < flags.limit) {
    std::optional<data::Trace> problem = reader.next();
    if (!problem) break;
    problems.push_back(std::move(*problem));
  }
  if (problems.empty()) throw InvalidRequest(flags.questions + " holds no questions; give one a line");
  return problems;
}

// How many groups of each question a file holds. Half a line at its end, from a run that was cut off, does
// not count. Throws BadFile for a file of another kind, and InvalidRequest for groups of another number of
// lanes, before anything is cut off it.
std::map<std::string, int32_t> groups_in(const std::string& file, int32_t lanes) {
  std::map<std::string, int32_t> groups;
  if (file == "-" || !std::filesystem::is_regular_file(file)) return groups;
  const std::string text = read_file(file);
  const size_t whole = text.rfind('\n') + 1;  // 0 where there is none
  std::istringstream lines(text.substr(0, whole));
  data::TraceReader reader(lines, file);
  while (const std::optional<data::Trace> trace = reader.next()) {
    if (trace->lanes.empty())
      throw BadFile(reader.where() + " has no lanes, so nothing was sampled for it; give -o a new name");
    if (std::ssize(trace->lanes) != lanes) {
      throw InvalidRequest(reader.where() + " has another number of lanes (" +
                           std::to_string(trace->lanes.size()) + ") than --lanes asks for (" +
                           std::to_string(lanes) + "); give -o a new name");
    }
    ++groups[trace->question];
  }
  if (whole < text.size() && text[whole] != '{') {
    throw BadFile(file + " does not end with a trace; give -o a new name");
  }
  return groups;
}

// Seeds go by a group's number, and a file does not tell the numbers of groups that were left out of it.
void refuse_what_is_there(const std::string& file) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error) || std::filesystem::file_size(file, error) == 0) return;
  throw InvalidRequest(
      file + " is there already and does not tell which groups --only-right left out; give -o a new name");
}

// What is sampled would stand among the questions.
void refuse_the_questions(const SampleFlags& flags) {
  std::error_code error;
  if (flags.output == "-" || !std::filesystem::equivalent(flags.questions, flags.output, error)) return;
  throw InvalidRequest(flags.output + " holds the questions; give -o another name");
}

// Counts and writes what is sampled, each line at once: it has cost more than a write.
class TraceWriter {
 public:
  TraceWriter(LineOutput& output, bool only_right) : output_(output), only_right_(only_right) {}

  void write(const data::Trace& trace) {
    const auto right = std::ranges::count(trace.labels, true);
    ++groups_;
    right_ += right;
    lanes_ += std::ssize(trace.labels);
    if (only_right_ && right < std::ssize(trace.labels)) return;
    output_.write(data::trace_line(trace));
    output_.flush();
  }

  int64_t groups() const { return groups_; }

  std::string summary() const {
    return std::to_string(groups_) + " groups sampled, " + std::to_string(right_) + " of " +
           std::to_string(lanes_) + " lanes right";
  }

 private:
  LineOutput& output_;
  bool only_right_;
  int64_t groups_ = 0;
  int64_t right_ = 0;
  int64_t lanes_ = 0;
};

int run(const SampleFlags& flags, bool dialogue) {
  refuse_the_questions(flags);
  if (flags.only_right) refuse_what_is_there(flags.output);
  rollout::DialogueOptions options = {.rollout = {.request = to_request(flags.request),
                                                  .defaults = run_defaults(),
                                                  .groups = flags.groups,
                                                  .parallel = flags.parallel,
                                                  .stopped = [] { return InterruptGuard::interrupted(); }},
                                      .turn = flags.turn,
                                      .fill = flags.fill};
  if (dialogue) rollout::check_dialogue(options);
  const std::vector<data::Trace> problems = read_problems(flags);
  const std::shared_ptr<const Model> model = load_model(flags.model);
  options.rollout.seed = resolve_seed(options.rollout.request.sampling, options.rollout.defaults);

  std::map<std::string, int32_t> left = groups_in(flags.output, flags.request.lanes);
  const std::string instruction =
      dialogue ? rollout::dialogue_instruction(flags.instruction, flags.request.lanes) + "\n\n"
               : std::string();
  std::vector<rollout::RolloutQuestion> questions;
  int64_t to_do = 0;
  for (const data::Trace& problem : problems) {
    // A question that is asked twice needs its groups twice.
    int32_t& held = left[problem.question];
    const int32_t taken = std::min(held, flags.groups);
    held -= taken;
    to_do += flags.groups - taken;
    questions.push_back({.problem = problem,
                         .prompt = to_prompt(flags.prompt, instruction + problem.question),
                         .done = taken});
  }
  if (dialogue) {
    note_raw_prompt(model->prompt_text(questions.front().prompt, NoTemplate::raw_with_note).raw);
  } else {
    Request first = options.rollout.request;
    first.prompt = questions.front().prompt;
    note_resolved(*resolve(*model, first, options.rollout.defaults));
  }
  LineOutput output(flags.output, LineOutput::Mode::extend);
  if (to_do == 0) {
    output.finish();
    print_note("every group is already in " + flags.output);
    return exit_ok;
  }

  const int32_t cells = flags.cells.cells > 0 ? flags.cells.cells
                        : dialogue            ? rollout::dialogue_cells(*model, questions, options)
                                              : rollout::rollout_cells(*model, questions, options.rollout);
  Engine engine(model, {.kv_cells = cells, .kv_type = flags.cells.kv_type});
  const InterruptGuard guard;
  TraceWriter writer(output, flags.only_right);
  {
    ProgressNote progress("of " + std::to_string(to_do) + " groups");
    const auto sink = [&](const data::Trace& trace) {
      writer.write(trace);
      progress.show(writer.groups());
    };
    if (dialogue) {
      rollout::collaborate(engine, questions, options, sink);
    } else {
      rollout::roll_out(engine, questions, options.rollout, sink);
    }
  }
  output.finish();
  print_note(writer.summary());
  return InterruptGuard::interrupted() ? exit_interrupted : exit_ok;
}

void add_sample_flags(CLI::App& app, SampleFlags& flags) {
  app.add_option("FILE", flags.questions, "Questions with answers; - is standard input")->required();
  app.add_option("-o,--output", flags.output, "Where to write; - is standard output")
      ->type_name("FILE")
      ->capture_default_str();
  app.add_option("--groups", flags.groups, "Groups of each question")
      ->type_name("G")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  app.add_option("--parallel", flags.parallel, "Groups that run at once")
      ->type_name("P")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  app.add_option("--limit", flags.limit, "Only the first questions (default: all)")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
  add_prompt_flags(app, flags.prompt);
  add_model_flags(app, flags.model);
  add_cell_flags(app, flags.cells);
  add_lane_flags(app, flags.request);
  add_sampling_flags(app, flags.request);
}

}  // namespace

Command add_data_rollout(CLI::App& data) {
  auto flags = std::make_shared<SampleFlags>();
  CLI::App* app = data.add_subcommand("rollout", "Sample groups from a model and label their lanes");
  app->footer(rollout_footer);
  add_sample_flags(*app, *flags);
  add_coupling_flags(*app, flags->request.coupling);
  return {app, [flags] { return run(*flags, false); }};
}

Command add_data_collaborate(CLI::App& data) {
  auto flags = std::make_shared<SampleFlags>();
  flags->parallel = 4;  // every turn reads a prompt of its own
  CLI::App* app = data.add_subcommand("collaborate", "Let one model play N assistants, turn by turn");
  app->footer(collaborate_footer);
  add_sample_flags(*app, *flags);
  // Assistants read one another in plain text: they are fed no tag, and never sleep.
  for (const char* of_lanes : {"--tag", "--wait", "--ready"}) app->remove_option(app->get_option(of_lanes));
  app->add_option("--turn", flags->turn, "Tokens of a turn")
      ->type_name("N")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  app->add_option("--fill", flags->fill,
                  "What fills up a turn that ends early, such as \" wait\" (default: nothing)")
      ->type_name("TEXT");
  app->add_option("--instruction", flags->instruction, "What stands above the question; {n} is the number")
      ->type_name("TEXT");
  app->add_flag("--only-right", flags->only_right, "Leave out groups with a wrong lane");
  return {app, [flags] { return run(*flags, true); }};
}

}  // namespace lanerope::cli
