// SPDX-License-Identifier: Apache-2.0
#include "cli/help_format.h"

#include "cli/dash_words.h"

namespace lanerope::cli {

std::string command_path(const CLI::App& app) {
  const CLI::App* parent = app.get_parent();
  return parent == nullptr ? app.get_name() : command_path(*parent) + " " + app.get_name();
}

std::string HelpFormatter::make_usage(const CLI::App* app, std::string name) const {
  return "\n" + CLI::Formatter::make_usage(app, app->get_parent() == nullptr ? name : command_path(*app));
}

std::string HelpFormatter::make_option_name(const CLI::Option* option, bool positional) const {
  std::string text = CLI::Formatter::make_option_name(option, positional);
  if (positional || option->get_lnames().empty()) return text;
  const std::vector<std::string> words = dash_words_of("--" + option->get_lnames().front());
  return words.empty() ? text : words.front() + "," + text;
}

std::string HelpFormatter::make_option_opts(const CLI::Option* option) const {
  if (option->get_type_size() == 0) return {};
  // What a check says of itself follows the type's name behind a colon.
  std::string text = option->get_type_name();
  text = " " + text.substr(0, text.find(':'));
  if (!option->get_default_str().empty()) text += " [" + option->get_default_str() + "]";
  return text;
}

std::string HelpFormatter::make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const {
  std::string text = CLI::Formatter::make_help(app, std::move(name), mode);
  for (size_t at = 0; (at = text.find("\n\n\n", at)) != std::string::npos;) text.erase(at, 1);
  return text;
}

}  // namespace lanerope::cli
