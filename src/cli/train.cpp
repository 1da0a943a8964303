// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/other_program.h"

namespace lanerope::cli {

// The trainer is a program of its own, so that this one does not need libtorch.
Command add_train(CLI::App& root) {
  CLI::App* app = root.add_subcommand("train", "Train models and adapters whose lanes read one another");
  app->prefix_command();
  app->set_help_flag();
  return {app, [app]() -> int {
            become_program(
                "lanerope-train", app->remaining(),
                "lanerope-train is not installed beside lanerope; build it (it needs libtorch), or see "
                "docs/training.md");
          }};
}

}  // namespace lanerope::cli
