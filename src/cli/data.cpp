// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <utility>
#include <vector>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/other_program.h"
#include "cli/output.h"

namespace lanerope::cli {

namespace {

constexpr auto footer =
    "Examples:\n"
    "  lanerope data rollout -m model.gguf questions.jsonl -n 4 --groups 2 -o kto.jsonl\n"
    "  lanerope data collaborate -m model.gguf questions.jsonl -n 3 -b 512 --turn 16 -o sft.jsonl\n"
    "  lanerope data compose gsm8k/test.jsonl -k 4 --count 300 -o compose-4.jsonl";

// What lanerope-toy does had its place here until 0.2.0.
constexpr std::array<const char*, 3> toy_commands = {"problems", "traces", "check"};

std::vector<std::pair<CLI::App*, std::string>> add_toy_commands(CLI::App& data) {
  std::vector<std::pair<CLI::App*, std::string>> commands;
  for (const char* command : toy_commands) {
    CLI::App* app = data.add_subcommand(command, "Now lanerope-toy " + std::string(command));
    app->group("");
    app->prefix_command();
    app->set_help_flag();
    commands.emplace_back(app, command);
  }
  return commands;
}

}  // namespace

Command add_data(CLI::App& root) {
  CLI::App* app =
      root.add_subcommand("data", "Traces to train with: samples of a model, problems asked together");
  app->footer(footer);
  app->require_subcommand(0, 1);
  const Command rollout = add_data_rollout(*app);
  const Command dialogue = add_data_collaborate(*app);
  const Command compose = add_data_compose(*app);
  const Command reach = add_data_reach(*app);
  const auto toy = add_toy_commands(*app);
  return {app, [rollout, dialogue, compose, reach, toy] {
            if (rollout.app->parsed()) return rollout.run();
            if (dialogue.app->parsed()) return dialogue.run();
            if (compose.app->parsed()) return compose.run();
            if (reach.app->parsed()) return reach.run();
            for (const auto& [command, name] : toy) {
              if (!command->parsed()) continue;
              print_note("lanerope data " + name + " is lanerope-toy " + name +
                         " now; the old name goes with 0.2.0");
              std::vector<std::string> arguments = command->remaining();
              arguments.insert(arguments.begin(), name);
              become_program(
                  "lanerope-toy", std::move(arguments),
                  "lanerope-toy is not installed beside lanerope; build it, or see docs/made-task.md");
            }
            return static_cast<int>(exit_failed);
          }};
}

}  // namespace lanerope::cli
