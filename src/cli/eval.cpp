// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/bundled_files.h"
#include "cli/commands.h"
#include "cli/eval_progress.h"
#include "cli/eval_prompt.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/model_flags.h"
#include "cli/output.h"
#include "cli/request_flags.h"
#include "cli/to_request.h"
#include "eval/evaluation.h"
#include "eval/record_file.h"
#include "eval/report.h"
#include "eval/results_folder.h"
#include "lanerope/errors.h"

namespace lanerope::cli {

namespace {

constexpr auto footer =
    "Every question gets the same number of lanes under each arm (--lanes-total): as many groups of N as "
    "that\n"
    "takes. They are sampled once, with the largest budget, and cut to the smaller ones. The folder gets\n"
    "records.jsonl (every lane's text; a run that is cut off goes on from it), questions.jsonl, report.json "
    "and\n"
    "report.html. lanerope eval compare and lanerope calibrate read them.\n"
    "\n"
    "An arm is a name, and what differs behind a colon: n, total, coupling, init, stride, visibility,\n"
    "window, sees-from, topology, block, prompt-lane, far-lanes, trained-lanes, tag, wait, ready, "
    "then,\n"
    "then-budget, temp, model, lora, policy, tool.\n"
    "The names independent, lanerope, closed (lanes that do not see one another), groupthink, hogwild, "
    "bridge\n"
    "and beam (beam search for one text; width) mean what they say. docs/evaluation.md has the rest.\n"
    "\n"
    "Examples:\n"
    "  lanerope eval -m model.gguf --questions test.jsonl --arm independent --arm lanerope:n=4 --out "
    "results\n"
    "  lanerope eval -m model.gguf --preset gsm8k --questions gsm8k/test.jsonl --limit 100 --arm independent "
    "--out "
    "results\n"
    "  lanerope eval -m lanes.gguf --questions test.jsonl --arm base:model=base.gguf --arm lanerope:n=2 \\\n"
    "    --arm closed:n=4 --budgets 64,96,128,192,256 --out results";

struct EvalFlags {
  ModelFlags model;
  QuestionFlags questions;
  std::vector<std::string> arms = {"independent", "lanerope"};
  std::vector<int32_t> budgets = {64, 96, 128, 192, 256};
  int32_t lanes_total = 4;
  bool unfinished = false;
  int32_t parallel = 32;
  uint64_t seed = 1;
  float temperature = 0.6F;
  float top_p = 0.95F;
  int32_t certainty_window = 64;
  std::string verifier;
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

// Of a folder, that of its name: what lies in it is too much to look at.
std::string questions_fingerprint(const QuestionFlags& flags) {
  return std::filesystem::is_directory(flags.file) ? "the folder " + flags.file
                                                   : eval::fingerprint(flags.file);
}

// What the flags ask for, in full.
struct Asked {
  EvalFlags flags = {};  // models and adapters are files of this machine
  std::vector<eval::Arm> arms = {};
  eval::EvalPlan plan = {};
  std::vector<eval::EvalQuestion> questions = {};
};

// All that an arm's texts follow from, and what is said of them.
eval::RunSettings settings_of(const eval::Arm& arm, const Asked& asked) {
  const EvalFlags& flags = asked.flags;
  const ModelFlags model = model_flags_of(arm, flags);
  eval::RunSettings settings = {
      {"questions", questions_fingerprint(flags.questions)},
      {"model", eval::fingerprint(model.source.file.empty() ? default_model_file() : model.source.file)}};
  std::string adapters;
  for (const std::string& file : model.adapters) adapters += eval::fingerprint(file) + " ";
  for (const auto& [file, scale] : model.scaled_adapters)
    adapters += eval::fingerprint(file) + " x " + std::to_string(scale) + " ";
  settings.emplace_back("adapters", adapters);
  settings.emplace_back("chat template", flags.questions.prompt.raw ? "not used" : model.chat_template);
  // Only where it is given, as others in eval::settings_of().
  if (!model.template_arguments.empty() && !flags.questions.prompt.raw)
    settings.emplace_back("chat template kwargs", model.template_arguments);
  settings.emplace_back("system text", flags.questions.prompt.system.value_or(""));
  const std::string wording = wording_of(flags.questions);
  settings.emplace_back("wording", wording == "{question}" ? "" : wording);
  settings.emplace_back("examples", flags.questions.shots == 0
                                        ? ""
                                        : std::to_string(flags.questions.shots) + " of " +
                                              eval::fingerprint(flags.questions.shots_file));
  settings.emplace_back("keys", flags.questions.keys.question + flags.questions.keys.answer);
  settings.emplace_back("kind", flags.questions.kind ? std::string(name(*flags.questions.kind)) : "");
  settings.emplace_back("judge", flags.questions.judge);
  const eval::JudgeOptions& judge = asked.plan.judge;
  if (!judge.command.empty() && judge.timeout != eval::JudgeOptions().timeout)
    settings.emplace_back("judge timeout", nlohmann::json(judge.timeout).dump());
  const eval::RunSettings of_arm = eval::settings_of(arm, asked.plan);
  settings.insert(settings.end(), of_arm.begin(), of_arm.end());
  return settings;
}

std::vector<eval::Arm> arms_of(const EvalFlags& flags) {
  std::vector<eval::Arm> arms;
  for (const std::string& text : flags.arms) {
    eval::Arm& arm = arms.emplace_back(eval::parse_arm(text));
    // What a second stage has read cannot be cut to a smaller budget.
    if (arm.then && flags.budgets.size() > 1)
      throw InvalidRequest("the arm " + arm.name + " has a second stage; give one number with --budgets");
    if (arm.then && arm.then->budget.value_or(0) > flags.budgets.front())
      throw InvalidRequest("the then-budget of the arm " + arm.name +
                           " must be at most the one of --budgets");
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
bool complete_arm(const eval::Arm& arm, const Asked& asked, eval::RecordFile& file) {
  const std::vector<eval::EvalQuestion>& questions = asked.questions;
  const int64_t groups = eval::total_lanes(arm, asked.plan) / arm.lanes;
  const std::vector<eval::Truth> truths = eval::truths_of(questions);
  EvalProgress progress({.arm = arm.name, .groups = std::ssize(questions) * groups, .truths = truths});
  for (const eval::EvalRecord& record : file.records()) {
    if (record.arm == arm.name && record.question < std::ssize(questions) && record.group < groups)
      progress.add_earlier(record);
  }
  const int64_t wanted = std::ssize(questions) * groups;
  if (progress.groups() >= wanted) return true;
  const std::vector<eval::EvalRecord> done = file.records();
  file.add(eval::evaluate_arm(load_model(model_flags_of(arm, asked.flags)),
                              {.arm = arm, .questions = questions, .done = done}, asked.plan,
                              [&](const eval::EvalRecord& record) {
                                file.add(record);
                                progress.add(record);
                              }));
  return progress.groups() >= wanted;
}

void write_reports(const Asked& asked, const eval::RecordFile& file) {
  const auto& [flags, arms, plan, questions] = asked;
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
  const eval::PairedArms paired = eval::pair_arms(names, records, eval::truths_of(questions));
  std::vector<eval::ArmScore> scores = eval::score_arms(
      paired, questions, {.budgets = budgets_of(flags), .unfinished = flags.unfinished, .seed = flags.seed});
  eval::add_timing(scores, timings);
  const eval::ReportOptions options{.title = std::filesystem::path(flags.questions.file).stem().string(),
                                    .by = flags.questions.by};
  write_file(flags.out + "/report.json", eval::report_json(scores).dump(1) + "\n");
  write_file(flags.out + "/report.html",
             eval::report_page(
                 scores, eval::report_questions(paired, questions, plan.budget, flags.unfinished), options));
  print_out(eval::report_text(scores, options));
  print_note("wrote " + flags.out + "/report.html");
}

eval::EvalPlan plan_of(const EvalFlags& flags) {
  eval::EvalPlan plan;
  plan.lanes_total = flags.lanes_total;
  plan.budget = budgets_of(flags).back();
  plan.sampling = {.temperature = flags.temperature, .top_k = 0, .top_p = flags.top_p, .min_p = 0};
  plan.seed = flags.seed;
  plan.parallel = flags.parallel;
  plan.certainty_window = flags.certainty_window;
  plan.verifier = flags.verifier;
  const QuestionPrompt prompt(flags.questions);
  plan.stop = prompt.stop();
  plan.prompt = prompt;
  plan.judge = {.command = flags.questions.judge, .timeout = flags.questions.judge_timeout};
  plan.resolved = [](const ResolvedRequest& request) { note_raw_prompt(request.raw_prompt); };
  plan.stopped = InterruptGuard::interrupted;
  return plan;
}

Asked all_of(const EvalFlags& flags) {
  if (flags.questions.file.empty() || flags.out.empty())
    throw InvalidRequest("lanerope eval needs --questions FILE and --out FOLDER; see lanerope eval --help");
  Asked asked{.flags = flags};
  asked.flags.model = with_local_files(flags.model);
  asked.arms = arms_of(asked.flags);
  asked.plan = plan_of(asked.flags);
  for (const eval::Arm& arm : asked.arms) eval::check_arm(arm, asked.plan);
  asked.questions = questions_of(asked.flags.questions);
  return asked;
}

int evaluate(const EvalFlags& given) {
  const Asked asked = all_of(given);
  const auto& [flags, arms, plan, questions] = asked;
  std::vector<eval::RunSettings> settings;
  settings.reserve(arms.size());
  for (const eval::Arm& arm : arms) settings.push_back(settings_of(arm, asked));
  std::error_code error;
  std::filesystem::create_directories(flags.out, error);
  if (error)
    throw SystemError("the folder " + flags.out + " cannot be made; check the name and its permissions");
  eval::RecordFile file(flags.out + "/" + std::string(eval::records_name));
  eval::write_questions(flags.out, questions);
  for (size_t i = 0; i < arms.size(); ++i) file.begin_arm(arms[i].name, settings[i]);
  const InterruptGuard guard;
  for (const eval::Arm& arm : arms) {
    const bool complete = complete_arm(arm, asked, file);
    if (complete && !InterruptGuard::interrupted()) continue;
    print_note("stopped; the same command goes on from " + flags.out + "/records.jsonl");
    return exit_interrupted;
  }
  write_reports(asked, file);
  return exit_ok;
}

}  // namespace

Command add_eval(CLI::App& root) {
  auto flags = std::make_shared<EvalFlags>();
  CLI::App* app = root.add_subcommand("eval", "Measure how often lanes are right, by tokens they may spend");
  app->footer(footer);
  add_model_flags(*app, flags->model);
  add_question_flags(*app, flags->questions);
  add_prompt_flags(*app, flags->questions.prompt);
  app->add_option("--out", flags->out, "Folder for records and reports")->type_name("FOLDER");
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
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app->add_flag("--count-unfinished", flags->unfinished,
                "A lane that is cut off votes with the marked answer that it has written so far");
  app->add_option("--parallel", flags->parallel, "Lanes that run at once")
      ->type_name("N")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app->add_option("--temp", flags->temperature, "Temperature")->type_name("T")->capture_default_str();
  app->add_option("--top-p", flags->top_p, "Nucleus")->type_name("P")->capture_default_str();
  app->add_option("--seed", flags->seed, "The same seed samples the same texts")->capture_default_str();
  app->add_option(
         "--certainty-window", flags->certainty_window,
         "Tokens of the least certain stretch that votes may be weighted by; 0: measure no certainty")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app->add_option("--verifier", flags->verifier,
                  "Shell command that scores lanes too: a JSON line a lane in, a score a line out")
      ->type_name("CMD");
  const Command compare = add_eval_compare(*app);
  return {app, [flags, compare] { return compare.app->parsed() ? compare.run() : evaluate(*flags); }};
}

}  // namespace lanerope::cli
