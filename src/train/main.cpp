// SPDX-License-Identifier: Apache-2.0
#include <c10/util/Exception.h>
#include <malloc.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <exception>

#include "lanerope/errors.h"
#include "train/files/vocabulary_file.h"
#include "train/trainer.h"

namespace lanerope {

namespace {

volatile std::sig_atomic_t interrupted = 0;

void say(const std::string& text) {
  std::fprintf(stderr, "%s\n", text.c_str());
}

struct StageFlags {
  std::string config;
  std::vector<std::string> settings;
};

int run_stage(Stage stage, const StageFlags& flags) {
  const TrainConfig config = read_train_config(flags.config, flags.settings, stage);
  std::signal(SIGINT, [](int) { interrupted = 1; });
  std::signal(SIGTERM, [](int) { interrupted = 1; });
  const bool terminal = isatty(STDERR_FILENO) != 0;
  const TrainCallbacks callbacks{
      .note = say,
      .step =
          [&](const TrainingProgress& p) {
            // A terminal keeps lines with measurements and shows the others in place.
            const bool kept = p.extra.contains("dev_loss") || p.step == p.steps;
            if (terminal)
              std::fprintf(stderr, "\r\033[K%s%s", progress_line(p).c_str(), kept ? "\n" : "");
            else if (kept || p.step % 25 == 0)
              say(progress_line(p));
          },
      .stop = [] { return interrupted != 0; },
  };
  return train(config, callbacks) ? 0 : 130;
}

std::string stage_help(Stage stage) {
  switch (stage) {
    case Stage::pretrain:
      return "Train a model from nothing";
    case Stage::sft:
      return "Train a model or an adapter on traces";
    case Stage::kto:
      return "Train on groups whose lanes are labelled right or wrong";
  }
  return "";
}

int run(int argc, char** argv) {
  CLI::App app("lanerope-train: trains models and adapters whose lanes read one another", "lanerope-train");
  app.require_subcommand(1);
  StageFlags flags;
  std::vector<std::pair<CLI::App*, Stage>> stages;
  for (const Stage stage : {Stage::pretrain, Stage::sft, Stage::kto}) {
    CLI::App* command = app.add_subcommand(std::string(name(stage)), stage_help(stage));
    command->add_option("-c,--config", flags.config, "JSON file with the configuration");
    command->add_option("-s,--set", flags.settings, "key=value put over the configuration; may be repeated");
    stages.emplace_back(command, stage);
  }
  VocabularyTraining vocabulary;
  size_t merges = 0;
  CLI::App* vocabulary_command = app.add_subcommand("vocabulary", "Train a byte-level BPE vocabulary");
  vocabulary_command->add_option("--data", vocabulary.data, "Trace files")->required();
  vocabulary_command->add_option("--groups", vocabulary.groups, "Of each file, from its beginning; 0: all");
  vocabulary_command->add_option("-o,--output", vocabulary.output, "The GGUF file to write")->required();
  vocabulary_command->add_option("--merges", merges, "Most merges");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (vocabulary_command->parsed()) {
    if (merges > 0) vocabulary.size.merges = merges;
    const VocabularyReport report = train_vocabulary_file(vocabulary);
    say(std::to_string(report.merges) + " merges, " + std::to_string(report.bytes) + " bytes of text, " +
        std::to_string(report.tokens) + " tokens in the vocabulary");
    return 0;
  }
  for (const auto& [command, stage] : stages) {
    if (command->parsed()) return run_stage(stage, flags);
  }
  return 2;
}

}  // namespace

}  // namespace lanerope

int main(int argc, char** argv) {
  // Tensors of a batch come and go by the hundred; kept pages make a step up to a third shorter.
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 2'000'000'000);
  mallopt(M_TOP_PAD, 256 << 20);
  try {
    return lanerope::run(argc, argv);
  } catch (const lanerope::Error& error) {
    lanerope::say(std::string("lanerope-train: error: ") + error.what());
    return 2;
  } catch (const c10::Error& error) {
    lanerope::say(std::string("lanerope-train: error: libtorch: ") + error.what_without_backtrace());
    return 1;
  } catch (const std::exception& error) {
    lanerope::say(std::string("lanerope-train: error: ") + error.what());
    return 1;
  }
}
