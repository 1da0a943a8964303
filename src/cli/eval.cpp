// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/model_flags.h"
#include "cli/output.h"
#include "cli/request_flags.h"
#include "eval/evaluation.h"
#include "eval/report.h"
#include "lanerope/errors.h"

namespace lanerope {

namespace {

constexpr auto footer =
    "Every question gets the same number of lanes under each arm (--lanes-total): as many groups of N as "
    "that\n"
    "takes. They are sampled once, with the largest budget, and cut to the smaller ones. The folder gets\n"
    "records.jsonl (every lane's text; a run that is cut off goes on from it), report.json and report.html.\n"
    "\n"
    "An arm is a name, and what differs behind a colon: n, total, coupling, init, stride, tag, model, lora, "
    "temp.\n"
    "The names independent, lanerope, closed, groupthink and hogwild mean what they say.\n"
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

// The records of a run that is gone on with, and where new ones go. Half a line at the end is cut off.
class RecordFile {
 public:
  explicit RecordFile(const std::string& path) : path_(path), records_(read_records(path)) {
    std::string text;
    for (const EvalRecord& record : records_) text += to_line(record) + "\n";
    write_file(path_, text);
    stream_.open(path_, std::ios::binary | std::ios::app);
  }

  void add(const EvalRecord& record) {
    stream_ << to_line(record) << "\n";
    stream_.flush();
    if (!stream_) throw SystemError(path_ + " cannot be written; check the disk");
    records_.push_back(record);
  }

  const std::vector<EvalRecord>& records() const { return records_; }

 private:
  std::string path_;
  std::vector<EvalRecord> records_;
  std::ofstream stream_;
};

std::shared_ptr<const Model> model_of(const Arm& arm, const EvalFlags& flags) {
  ModelFlags wanted = flags.model;
  if (!arm.model.empty()) {
    wanted.file = arm.model;
    wanted.adapters.clear();
    wanted.scaled_adapters.clear();
  }
  for (const AdapterOptions& adapter : arm.adapters) wanted.adapters.push_back(adapter.file);
  return load_model(wanted);
}

int evaluate(const EvalFlags& flags) {
  const std::vector<EvalQuestion> questions = read_questions(flags.questions, flags.limit);
  std::vector<Arm> arms;
  std::vector<std::string> names;
  for (const std::string& text : flags.arms) {
    arms.push_back(parse_arm(text));
    if (std::ranges::find(names, arms.back().name) != names.end())
      throw InvalidRequest("two arms are called " + arms.back().name + "; give each a name of its own");
    names.push_back(arms.back().name);
  }
  std::vector<int32_t> budgets = flags.budgets;
  std::ranges::sort(budgets);
  if (budgets.empty() || budgets.front() < 1) throw InvalidRequest("--budgets must be positive numbers");

  const EvalPlan plan{
      .lanes_total = flags.lanes_total,
      .budget = budgets.back(),
      .sampling = {.temperature = flags.temperature, .top_k = 0, .top_p = flags.top_p, .min_p = 0},
      .seed = flags.seed,
      .parallel = flags.parallel,
      .prompt = [&](const Model& model,
                    const std::string& text) { return make_prompt(flags.prompt, model, text); },
      .stopped = InterruptGuard::interrupted};
  for (const Arm& arm : arms) total_lanes(arm, plan);
  std::filesystem::create_directories(flags.out);
  RecordFile file(flags.out + "/records.jsonl");
  const InterruptGuard guard;
  for (const Arm& arm : arms) {
    const int64_t wanted = std::ssize(questions) * (total_lanes(arm, plan) / arm.lanes);
    int64_t count = std::ranges::count(file.records(), arm.name, &EvalRecord::arm);
    if (count >= wanted) continue;
    const std::vector<EvalRecord> done = file.records();
    evaluate_arm(model_of(arm, flags), arm, questions, plan, done, [&](const EvalRecord& record) {
      file.add(record);
      ++count;
      if (notes_are_terminal() && (count % 16 == 0 || count == wanted))
        print_note(arm.name + ": " + std::to_string(count) + " of " + std::to_string(wanted) + " groups");
    });
    if (InterruptGuard::interrupted()) {
      print_note("stopped; the same command goes on from " + flags.out + "/records.jsonl");
      return exit_interrupted;
    }
  }
  const std::vector<ArmScore> scores =
      score_arms(names, file.records(), questions, {.budgets = budgets, .seed = flags.seed});
  write_file(flags.out + "/report.json", report_json(scores).dump(1) + "\n");
  write_file(flags.out + "/report.html",
             report_page(scores, std::filesystem::path(flags.questions).stem().string()));
  print_out(report_text(scores));
  print_note("wrote " + flags.out + "/report.html");
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
  app->add_option("--parallel", flags->parallel, "Lanes that run at once")
      ->type_name("N")
      ->capture_default_str();
  app->add_option("--temp", flags->temperature, "Temperature")->type_name("T")->capture_default_str();
  app->add_option("--top-p", flags->top_p, "Nucleus")->type_name("P")->capture_default_str();
  app->add_option("--seed", flags->seed, "The same seed samples the same texts")->capture_default_str();
  return {app, [flags] { return evaluate(*flags); }};
}

}  // namespace lanerope
