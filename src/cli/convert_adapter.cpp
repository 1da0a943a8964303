// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/other_program.h"

namespace lanerope::cli {

// PEFT's side of it is Python's, so this is a program of the Python package.
Command add_convert_adapter(CLI::App& root) {
  CLI::App* app = root.add_subcommand("convert-adapter",
                                      "Turn a GGUF adapter into a folder of PEFT's, and the other way round");
  app->prefix_command();
  app->set_help_flag();
  return {app, [app]() -> int {
            become_program(
                "lanerope-convert-adapter", app->remaining(),
                "lanerope-convert-adapter is not on the PATH; it comes with the Python package: pip "
                "install 'lanerope[peft]' (docs/python.md)");
          }};
}

}  // namespace lanerope::cli
