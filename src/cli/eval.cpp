// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/default_model.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/model_flags.h"
#include "cli/output.h"
#include "cli/request_flags.h"
#include "cli/to_request.h"
#include "eval/evaluation.h"
#include "eval/record_file.h"
#include "eval/report.h"
#include "lanerope/errors.h"

namespace lanerope::cli {

namespace {

constexpr auto footer =
    "Every question gets the same number of lanes under each arm (--lanes-total): as many groups of N as "
    "that\n"
    "takes. They are sampled once, with the largest budget, and cut to the smaller ones. The folder gets\n"
    "records.jsonl (every lane's text; a run that is cut off goes on from it), report.json and report.html.\n"
    "\n"
    "An arm is a name, and what differs behind a colon: n, total, coupling, init, stride, tag, model, lora, "
    "temp.\n"
    "The names independent, lanerope, closed (lanes that do not see one another), groupthink, hogwild and "
    "beam\n"
    "(beam search for one text; width) mean what they say. docs/evaluation.md has the rest.\n"
    "\n"
    "Examples:\n"
    "  lanerope eval -m model.gguf --questions test.jsonl --arm independent --arm lanerope:n=4 --out "
    "results\n"
    "  lanerope eval -m lanes.gguf --questions test.jsonl --arm base:model=base.gguf --arm lanerope:n=2 \\\n"
    "    --arm closed:n=4 --budgets 64,96,128,192,256 --out results";

struct EvalFlags {
  ModelFlags model;
  PromptFlags prompt;
  std::string questions;
  std::vector<std::string> arms = {"independent", "lanerope"};
  std::vector<int32_t> budgets = {64, 96, 128, 192, 256};
  int32_t lanes_total = 4;
  int64_t limit = 0;
  std::string by;
  bool unfinished = false;
  int32_t parallel = 32;
  uint64_t seed = 1;
  float temperature = 0.6F;
  float top_p = 0.95F;
  std::string out;
};

void write_file(const std::string& path, const std::string& text) {
  std::ofstream stream(path, std::ios::binary);
  stream << text;
  stream.flush();
  if (!stream) throw SystemError(path + " cannot be written; check the disk");
}

ModelFlags model_flags_of(const eval::Arm& arm, const EvalFlags& flags) {
  ModelFlags wanted = flags.model;
  if (!arm.model.empty()) {
    wanted.source = {.file = arm.model, .hub = flags.model.source.hub};
    wanted.adapters.clear();
    wanted.scaled_adapters.clear();
  }
  for (const AdapterOptions& adapter : arm.adapters) wanted.adapters.push_back(adapter.file);
  return wanted;
}

// All that an arm's texts follow from.
eval::RunSettings settings_of(const eval::Arm& arm, const eval::EvalPlan& plan, const EvalFlags& flags) {
  const ModelFlags model = model_flags_of(arm, flags);
  eval::RunSettings settings = {
      {"questions", eval::fingerprint(flags.questions)},
      {"model", eval::fingerprint(model.source.file.empty() ? default_model_file() : model.source.file)}};
  std::string adapters;
  for (const std::string& file : model.adapters) adapters += eval::fingerprint(file) + " ";
  for (const auto& [file, scale] : model.scaled_adapters)
    adapters += eval::fingerprint(file) + " x " + std::to_string(scale) + " ";
  settings.emplace_back("adapters", adapters);
  settings.emplace_back("chat template", flags.prompt.raw ? "not used" : model.chat_template);
  settings.emplace_back("system text", flags.prompt.system.value_or(""));
  const eval::RunSettings of_arm = eval::settings_of(arm, plan);
  settings.insert(settings.end(), of_arm.begin(), of_arm.end());
  return settings;
}

std::vector<eval::Arm> arms_of(const EvalFlags& flags) {
  std::vector<eval::Arm> arms;
  for (const std::string& text : flags.arms) {
    eval::Arm& arm = arms.emplace_back(eval::parse_arm(text));
    const HubFlags& hub = flags.model.source.hub;
    if (!arm.model.empty()) arm.model = model_file({.file = arm.model, .hub = hub});
    for (AdapterOptions& adapter : arm.adapters) adapter.file = adapter_file(adapter.file, hub);
    const auto same = std::ranges::count(arms, arms.back().name, &eval::Arm::name);
    if (same > 1)
      throw InvalidRequest("two arms are called " + arms.back().name + "; give each a name of its own");
  }
  return arms;
}

std::vector<int32_t> budgets_of(const EvalFlags& flags) {
  std::vector<int32_t> budgets = flags.budgets;
  std::ranges::sort(budgets);
  budgets.erase(std::ranges::unique(budgets).begin(), budgets.end());
  if (budgets.empty() || budgets.front() < 1) throw InvalidRequest("--budgets must be positive numbers");
  return budgets;
}

// Samples what is missing of an arm; whether it is complete now.
bool complete_arm(const eval::Arm& arm, const eval::EvalPlan& plan, const EvalFlags& flags,
                  const std::vector<eval::EvalQuestion>& questions, eval::RecordFile& file) {
  const int64_t groups = eval::total_lanes(arm, plan) / arm.lanes;
  const int64_t wanted = std::ssize(questions) * groups;
  int64_t count = std::ranges::count_if(file.records(), [&](const eval::EvalRecord& record) {
    return record.arm == arm.name && record.question < std::ssize(questions) && record.group < groups;
  });
  if (count >= wanted) return true;
  const std::vector<eval::EvalRecord> done = file.records();
  file.add(eval::evaluate_arm(load_model(model_flags_of(arm, flags)), arm, questions, plan, done,
                              [&](const eval::EvalRecord& record) {
                                file.add(record);
                                ++count;
                                if (notes_are_terminal() && (count % 16 == 0 || count == wanted))
                                  print_note(arm.name + ": " + std::to_string(count) + " of " +
                                             std::to_string(wanted) + " groups");
                              }));
  return count >= wanted;
}

void write_reports(const EvalFlags& flags, const std::vector<eval::Arm>& arms, const eval::EvalPlan& plan,
                   const std::vector<eval::EvalQuestion>& questions, const eval::RecordFile& file) {
  std::vector<std::string> names;
  std::vector<eval::ArmTiming> timings;
  std::vector<eval::EvalRecord> records;
  for (const eval::Arm& arm : arms) {
    names.push_back(arm.name);
    timings.push_back(file.timing_of(arm.name));
    // A file may hold more lanes of a question than are asked for now.
    std::ranges::copy_if(file.records(), std::back_inserter(records), [&](const eval::EvalRecord& record) {
      return record.arm == arm.name && record.group < eval::total_lanes(arm, plan) / arm.lanes;
    });
  }
  std::vector<eval::ArmScore> scores =
      eval::score_arms(names, records, questions,
                       {.budgets = budgets_of(flags), .unfinished = flags.unfinished, .seed = flags.seed});
  eval::add_timing(scores, timings);
  const eval::ReportOptions options{.title = std::filesystem::path(flags.questions).stem().string(),
                                    .by = flags.by};
  write_file(flags.out + "/report.json", eval::report_json(scores).dump(1) + "\n");
  write_file(flags.out + "/report.html", eval::report_page(scores, options));
  print_out(eval::report_text(scores, options));
  print_note("wrote " + flags.out + "/report.html");
}

int evaluate(const EvalFlags& asked) {
  EvalFlags flags = asked;
  flags.model = with_local_files(flags.model);
  const std::vector<eval::Arm> arms = arms_of(flags);
  const eval::EvalPlan plan{
      .lanes_total = flags.lanes_total,
      .budget = budgets_of(flags).back(),
      .sampling = {.temperature = flags.temperature, .top_k = 0, .top_p = flags.top_p, .min_p = 0},
      .seed = flags.seed,
      .parallel = flags.parallel,
      .prompt = [&](const std::string& text) { return to_prompt(flags.prompt, text); },
      .resolved = [](const ResolvedRequest& request) { note_raw_prompt(request.raw_prompt); },
      .stopped = InterruptGuard::interrupted};
  for (const eval::Arm& arm : arms) eval::total_lanes(arm, plan);
  const std::vector<eval::EvalQuestion> questions =
      eval::read_questions(flags.questions, {.limit = flags.limit, .by = flags.by});
  std::vector<eval::RunSettings> settings;
  for (const eval::Arm& arm : arms) settings.push_back(settings_of(arm, plan, flags));
  std::error_code error;
  std::filesystem::create_directories(flags.out, error);
  if (error)
    throw SystemError("the folder " + flags.out + " cannot be made; check the name and its permissions");
  eval::RecordFile file(flags.out + "/records.jsonl");
  for (size_t i = 0; i < arms.size(); ++i) file.begin_arm(arms[i].name, settings[i]);
  const InterruptGuard guard;
  for (const eval::Arm& arm : arms) {
    const bool complete = complete_arm(arm, plan, flags, questions, file);
    if (complete && !InterruptGuard::interrupted()) continue;
    print_note("stopped; the same command goes on from " + flags.out + "/records.jsonl");
    return exit_interrupted;
  }
  write_reports(flags, arms, plan, questions, file);
  return exit_ok;
}

}  // namespace

Command add_eval(CLI::App& root) {
  auto flags = std::make_shared<EvalFlags>();
  CLI::App* app = root.add_subcommand("eval", "Measure how often lanes are right, by tokens they may spend");
  app->footer(footer);
  add_model_flags(*app, flags->model);
  add_prompt_flags(*app, flags->prompt);
  app->add_option("--questions", flags->questions,
                  "JSON lines with question and answer; GSM8K's own files will do")
      ->type_name("FILE")
      ->required();
  app->add_option("--out", flags->out, "Folder for records and reports")->type_name("FOLDER")->required();
  app->add_option("--arm", flags->arms, "NAME or NAME:key=value,...; may be repeated")
      ->type_name("ARM")
      ->take_all()
      ->default_str("independent, lanerope");
  app->add_option("--budgets", flags->budgets, "Tokens a lane may spend, tag and end token included")
      ->type_name("LIST")
      ->delimiter(',')
      ->take_all()
      ->default_str("64,96,128,192,256");
  app->add_option("--lanes-total", flags->lanes_total, "Lanes of a question in all")
      ->type_name("K")
      ->capture_default_str();
  app->add_option("--limit", flags->limit, "Only the first questions (0: all)")
      ->type_name("N")
      ->capture_default_str();
  app->add_option("--by", flags->by, "Show the scores for each value of this key of the questions as well")
      ->type_name("KEY");
  app->add_flag("--count-unfinished", flags->unfinished,
                "A lane that is cut off votes with the marked answer that it has written so far");
  app->add_option("--parallel", flags->parallel, "Lanes that run at once")
      ->type_name("N")
      ->capture_default_str();
  app->add_option("--temp", flags->temperature, "Temperature")->type_name("T")->capture_default_str();
  app->add_option("--top-p", flags->top_p, "Nucleus")->type_name("P")->capture_default_str();
  app->add_option("--seed", flags->seed, "The same seed samples the same texts")->capture_default_str();
  return {app, [flags] { return evaluate(*flags); }};
}

}  // namespace lanerope::cli
