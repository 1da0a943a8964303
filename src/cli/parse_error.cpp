// SPDX-License-Identifier: Apache-2.0
#include "cli/parse_error.h"

#include <algorithm>

#include "cli/help_format.h"

namespace lanerope::cli {

const CLI::App& innermost(const CLI::App& app) {
  const std::vector<CLI::App*> chosen = app.get_subcommands();
  return chosen.empty() ? app : innermost(*chosen.front());
}

bool groups_commands(const CLI::App& app) {
  const bool has_commands = !app.get_subcommands([](const CLI::App*) { return true; }).empty();
  const bool is_command = app.get_parent() != nullptr && app.get_options().size() > 1;  // --help is one
  return has_commands && !is_command;
}

std::string parse_error_text(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& chosen = innermost(app);
  const std::string command = command_path(chosen);
  std::string text = error.what();
  const size_t colon = text.rfind(": ");
  const std::string culprit = colon == std::string::npos ? text : text.substr(colon + 2);
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    // The value of an option that does not exist took the place of an argument, which is left over too.
    const std::vector<std::string> rest = chosen.remaining();
    const auto option =
        std::ranges::find_if(rest, [](const std::string& left) { return left.starts_with("-"); });
    const char* what =
        groups_commands(chosen) ? "there is no command " : "there is no place for the argument ";
    text = option != rest.end() ? "there is no option " + *option : what + culprit;
  } else if (dynamic_cast<const CLI::ConversionError*>(&error) != nullptr && colon != std::string::npos) {
    const size_t equals = culprit.find(" = ");
    text = culprit.substr(0, equals) + " does not take " +
           (equals == std::string::npos ? "this" : "'" + culprit.substr(equals + 3) + "'");
  } else if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr && colon != std::string::npos) {
    text = text.substr(0, text.find(": ")) + " needs a value";
  }
  return text + "; see " + command + " --help";
}

}  // namespace lanerope::cli
