// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "cli/commands.h"
#include "lanerope/errors.h"

namespace lanerope::cli {

namespace {

// The trainer is a program of its own, so that this one does not need libtorch.
int run_trainer(std::vector<std::string> arguments) {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  std::string program = (self.parent_path() / "lanerope-train").string();
  if (error || !std::filesystem::exists(program)) program = "lanerope-train";
  arguments.insert(arguments.begin(), program);
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  execvp(program.c_str(), pointers.data());
  throw SystemError(
      "lanerope-train is not installed beside lanerope; build it (it needs libtorch), or see "
      "docs/training.md");
}

}  // namespace

Command add_train(CLI::App& root) {
  CLI::App* app = root.add_subcommand("train", "Train models and adapters whose lanes read one another");
  app->prefix_command();
  app->set_help_flag();
  return {app, [app] { return run_trainer(app->remaining()); }};
}

}  // namespace lanerope::cli
