// SPDX-License-Identifier: Apache-2.0
#include <c10/util/Exception.h>
#include <c10/util/Logging.h>
#include <malloc.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/exit_code.h"
#include "cli/help_format.h"
#include "cli/model_source.h"
#include "cli/output.h"
#include "cli/parse_error.h"
#include "lanerope/errors.h"
#include "lanerope/model.h"
#include "train/files/curve_page.h"
#include "train/files/model_card.h"
#include "train/files/vocabulary_file.h"
#include "train/trainer.h"

namespace lanerope::train_cli {

namespace {

constexpr auto description =
    "lanerope-train: trains models, and adapters, whose lanes read one another.\n"
    "\n"
    "A run is described by one JSON file; docs/training.md lists its keys. It keeps its checkpoint, its "
    "curve and its\n"
    "record in a folder beside what it writes, and goes on from there when it is started again.";

constexpr auto footer =
    "Examples:\n"
    "  mkdir -p runs\n"
    "  numbers=\"--first 11-39 --second 2-5 --third 11-49 --largest-total 999\"\n"
    "  lanerope-toy traces --count 200000 --split train --parts 1-8 $numbers -o runs/base.jsonl\n"
    "  lanerope-toy traces --count 2000 --split dev --parts 2-8 $numbers -o runs/dev1.jsonl\n"
    "  lanerope-toy traces --count 300000 --split train --parts 1-8 --lanes 1:0.2,2:0.2,4:0.35,8:0.25 "
    "$numbers \\\n"
    "    -o runs/lanes.jsonl\n"
    "  lanerope-toy traces --count 1000 --split dev --parts 2-8 --lanes 4 $numbers -o runs/dev4.jsonl\n"
    "  lanerope-train vocabulary --data runs/lanes.jsonl --groups 40000 --merges 400 \\\n"
    "    -o runs/vocabulary.gguf\n"
    "  lanerope-train pretrain -c train/base.json\n"
    "  lanerope-train sft -c train/lanes.json -s steps=500 -s omega.init=gt -s out=runs/gt.gguf\n"
    "  lanerope-train curves -o curves.html runs/base.gguf.run runs/gt.gguf.run";

volatile std::sig_atomic_t interrupted = 0;

// Batches differ in length, so that the heap gets holes and grows by a tenth of a gigabyte a step; between
// steps little of it is in use. The step after a trim faults its pages in anew, so not after each.
constexpr int64_t steps_between_trims = 4;

struct StageFlags {
  std::string config;
  std::vector<std::string> settings;
};

std::string stage_help(train::Stage stage) {
  switch (stage) {
    case train::Stage::pretrain:
      return "Train a model from nothing";
    case train::Stage::sft:
      return "Train a model or an adapter on traces";
    case train::Stage::kto:
      return "Train on groups whose lanes are labelled right or wrong";
  }
  return "";
}

int run_stage(train::Stage stage, const StageFlags& flags) {
  train::TrainConfig config = train::read_train_config(flags.config, flags.settings, stage);
  if (!config.base.empty()) config.base = cli::model_file({.file = config.base});
  std::signal(SIGINT, [](int) { interrupted = 1; });
  std::signal(SIGTERM, [](int) { interrupted = 1; });
  const bool terminal = cli::notes_are_terminal();
  const train::TrainCallbacks callbacks{
      .note = [](const std::string& text) { cli::print_note(text); },
      .step =
          [&](const train::TrainingProgress& p) {
            // A terminal keeps lines with measurements and shows the others in place.
            const bool kept = p.extra.contains("dev_loss") || p.step == p.steps;
            if (terminal) {
              std::fprintf(stderr, "\r\033[K%s%s", train::progress_line(p).c_str(), kept ? "\n" : "");
            } else if (kept || p.step % 25 == 0) {
              cli::print_note(train::progress_line(p));
            }
            if (p.step % steps_between_trims == 0) malloc_trim(0);
          },
      .stop = [] { return interrupted != 0; },
  };
  return train::train(config, callbacks) ? cli::exit_ok : cli::exit_interrupted;
}

std::pair<CLI::App*, std::function<int()>> add_stage(CLI::App& root, train::Stage stage) {
  auto flags = std::make_shared<StageFlags>();
  CLI::App* app = root.add_subcommand(std::string(name(stage)), stage_help(stage));
  app->add_option("-c,--config", flags->config, "The run, as JSON")->type_name("FILE");
  app->add_option("-s,--set", flags->settings, "KEY=VALUE put over the configuration; may be repeated")
      ->type_name("KEY=VALUE")
      ->take_all();
  return {app, [stage, flags] { return run_stage(stage, *flags); }};
}

std::pair<CLI::App*, std::function<int()>> add_vocabulary(CLI::App& root) {
  auto training = std::make_shared<train::VocabularyTraining>();
  CLI::App* app = root.add_subcommand("vocabulary", "Train a byte-level BPE vocabulary on traces");
  app->add_option("--data", training->data, "Trace files")->type_name("FILE")->required()->take_all();
  app->add_option("--groups", training->groups, "Of each file, from its beginning (0: all)")
      ->type_name("N")
      ->capture_default_str();
  app->add_option("--merges", training->size.merges, "Merges at most")->type_name("N")->capture_default_str();
  app->add_option("-o,--output", training->output, "The GGUF file to write")->type_name("FILE")->required();
  return {app, [training] {
            const train::VocabularyReport report = train::train_vocabulary_file(*training);
            cli::print_note(std::to_string(report.merges) + " merges of " + std::to_string(report.bytes) +
                            " bytes of text; " + std::to_string(report.tokens) + " tokens in the vocabulary");
            return static_cast<int>(cli::exit_ok);
          }};
}

struct CurveFlags {
  std::vector<std::string> runs;
  std::string output;
};

std::pair<CLI::App*, std::function<int()>> add_curves(CLI::App& root) {
  auto flags = std::make_shared<CurveFlags>();
  CLI::App* app =
      root.add_subcommand("curves", "Lay the curves of several runs over one another, as an HTML page");
  app->add_option("RUN", flags->runs, "Folders of runs")->required()->take_all();
  app->add_option("-o,--output", flags->output, "The page to write")->type_name("FILE")->required();
  return {app, [flags] {
            std::vector<train::CurveLogName> logs;
            for (const std::string& folder : flags->runs) logs.push_back({.path = folder + "/curve.jsonl"});
            train::write_curve_page_file(flags->output, logs);
            return static_cast<int>(cli::exit_ok);
          }};
}

struct CardFlags {
  std::string folder;
  std::string name;
  std::vector<std::string> files;
  std::vector<std::string> runs;
};

train::CardStage read_stage(const std::string& folder) {
  std::ifstream stream(folder + "/stage.json");
  const auto json = nlohmann::ordered_json::parse(stream, nullptr, false);
  if (!json.is_object() || !json.contains("config"))
    throw InvalidRequest(folder + " holds no stage.json; only a run that came to its end has one");
  return {.config = json.at("config"),
          .tokens = json.value("tokens", int64_t{0}),
          .seconds = json.value("seconds", 0.0),
          .finished = json.value("finished", std::string())};
}

std::pair<CLI::App*, std::function<int()>> add_card(CLI::App& root) {
  auto flags = std::make_shared<CardFlags>();
  CLI::App* app =
      root.add_subcommand("card", "Write model.json beside models: their digests and how they came about");
  app->add_option("FOLDER", flags->folder, "Where the models lie")->required();
  app->add_option("--name", flags->name, "What they are called")->type_name("TEXT")->required();
  app->add_option("--file", flags->files, "A file in the folder; may be repeated")
      ->type_name("FILE")
      ->required()
      ->take_all();
  app->add_option("--run", flags->runs, "Folder of a run, in the order in which they ran")
      ->type_name("FOLDER")
      ->take_all();
  return {app, [flags] {
            train::ModelCard card{.name = flags->name,
                                  .commit = train::git_commit("."),
                                  .files = train::describe_files(flags->folder, flags->files)};
            const std::string path = flags->folder + "/model.json";
            if (std::filesystem::exists(path)) card.examples = train::read_model_card(path).examples;
            for (const std::string& folder : flags->runs) card.stages.push_back(read_stage(folder));
            train::write_model_card(path, card);
            return static_cast<int>(cli::exit_ok);
          }};
}

int run(int argc, char** argv) {
  CLI::App app(description, "lanerope-train");
  app.footer(footer);
  app.require_subcommand(1);
  app.option_defaults()->take_last();
  app.set_version_flag("--version", "lanerope-train " + std::string(version()), "Print the version");
  app.formatter(std::make_shared<cli::HelpFormatter>());
  const std::vector<std::pair<CLI::App*, std::function<int()>>> commands = {
      add_stage(app, train::Stage::pretrain),
      add_stage(app, train::Stage::sft),
      add_stage(app, train::Stage::kto),
      add_vocabulary(app),
      add_curves(app),
      add_card(app)};
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    const std::vector<CLI::App*> chosen = app.get_subcommands();
    cli::print_out(chosen.empty() ? app.help() : chosen.front()->help());
    return cli::exit_ok;
  } catch (const CLI::CallForVersion&) {
    cli::print_out(app.version() + "\n");
    return cli::exit_ok;
  } catch (const CLI::ParseError& error) {
    cli::print_note("lanerope-train: error: " + cli::parse_error_text(app, error));
    return cli::exit_invalid_request;
  }
  for (const auto& [command, action] : commands) {
    if (command->parsed()) return action();
  }
  return cli::exit_ok;
}

}  // namespace

}  // namespace lanerope::train_cli

int main(int argc, char** argv) {
  // Tensors of a batch come and go by the hundred, and fresh pages for each would take a third of a step.
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 2'000'000'000);
  mallopt(M_TOP_PAD, 256 << 20);
  // libtorch logs a lost process with a stack trace before it throws; what it throws becomes a sentence.
  ::setenv("TORCH_CPP_LOG_LEVEL", "FATAL", 0);
  c10::initLogging();
  try {
    return lanerope::train_cli::run(argc, argv);
  } catch (const c10::Error& error) {
    lanerope::cli::print_note(std::string("lanerope-train: error: libtorch: ") +
                              error.what_without_backtrace());
    return lanerope::cli::exit_failed;
  } catch (const std::exception& error) {
    const lanerope::cli::Failure failure = lanerope::cli::describe_failure(error);
    if (!failure.message.empty()) lanerope::cli::print_note("lanerope-train: error: " + failure.message);
    return failure.code;
  }
}
