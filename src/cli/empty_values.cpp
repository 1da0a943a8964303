// SPDX-License-Identifier: Apache-2.0
#include "cli/empty_values.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "cli/parse_error.h"
#include "lanerope/errors.h"

namespace lanerope::cli {

namespace {

// Options to which an empty text means something, and arguments that are a text, of which who reads it says
// more.
constexpr std::array<std::string_view, 9> may_be_empty = {
    "--tag", "--wait", "--ready", "--lane-text", "--system", "--fill", "--instruction", "PROMPT", "TEXT"};

bool has_option(const CLI::App& app, const std::string& name) {
  return app.get_option_no_throw(name) != nullptr ||
         std::ranges::any_of(app.get_subcommands([](const CLI::App*) { return true; }),
                             [&name](const CLI::App* command) { return has_option(*command, name); });
}

bool has_empty_value(const CLI::Option& option) {
  return std::ranges::any_of(option.results(), [](const std::string& value) { return value.empty(); });
}

}  // namespace

std::vector<std::string> with_empty_values(const CLI::App& app, std::vector<std::string> arguments) {
  for (auto word = arguments.begin(); word != arguments.end() && *word != "--"; ++word) {
    if (!word->starts_with("--") || word->find('=') != word->size() - 1) continue;
    const std::string name = word->substr(0, word->size() - 1);
    if (!has_option(app, name)) continue;
    *word = name;
    word = arguments.insert(word + 1, "");
  }
  return arguments;
}

void refuse_empty_values(const CLI::App& app) {
  for (const CLI::App* of = &innermost(app); of != nullptr; of = of->get_parent()) {
    for (const CLI::Option* option : of->get_options()) {
      const std::string name = option->get_name();
      if (!has_empty_value(*option) || std::ranges::find(may_be_empty, name) != may_be_empty.end()) continue;
      throw InvalidRequest(name + " is empty; give a value or leave it out");
    }
  }
}

}  // namespace lanerope::cli
