// SPDX-License-Identifier: Apache-2.0
#include "cli/format_flags.h"

#include <string_view>

#include "cli/text_source.h"

namespace lanerope::cli {

namespace {

// A text that shows by `sign` that it is what the option takes, or the file of that name.
std::string text_or_file(const std::string& given, std::string_view sign, const std::string& option) {
  std::string text = given.find(sign) == std::string::npos ? read_file(given) : given;
  check_utf8(text, option);
  return text;
}

}  // namespace

void add_format_flags(CLI::App& app, FormatFlags& flags) {
  constexpr auto group = "Answer";
  auto* schema = app.add_option("-j,--json-schema,--json-schema-file", flags.json_schema,
                                "The answer is JSON that this schema allows")
                     ->type_name("FILE|JSON")
                     ->group(group);
  auto* grammar = app.add_option("--grammar,--grammar-file", flags.grammar,
                                 "The answer keeps to this grammar, as llama.cpp writes them")
                      ->type_name("FILE|GBNF")
                      ->group(group);
  auto* regex = app.add_option("--regex", flags.regex, "The answer as a whole matches this expression")
                    ->type_name("REGEX")
                    ->group(group);
  auto* choices = app.add_option("--choice", flags.choices, "The answer is one of these texts; repeatable")
                      ->type_name("TEXT")
                      ->allow_extra_args(false)
                      ->take_all()
                      ->group(group);
  schema->excludes(grammar)->excludes(regex)->excludes(choices);
  grammar->excludes(regex)->excludes(choices);
  regex->excludes(choices);
  app.add_option("--reasoning-budget", flags.thinking_budget,
                 "Tokens that a lane may think before it answers; 0: none, -1: as many as it likes")
      ->type_name("N")
      ->check(CLI::Range(-1, 1 << 24))
      ->group(group);
}

AnswerFormat to_format(const FormatFlags& flags) {
  if (!flags.json_schema.empty()) {
    return {.kind = FormatKind::json_schema, .text = text_or_file(flags.json_schema, "{", "--json-schema")};
  }
  if (!flags.grammar.empty())
    return {.kind = FormatKind::grammar, .text = text_or_file(flags.grammar, "::=", "--grammar")};
  if (!flags.regex.empty()) {
    check_utf8(flags.regex, "--regex");
    return {.kind = FormatKind::regex, .text = flags.regex};
  }
  for (const std::string& choice : flags.choices) check_utf8(choice, "--choice");
  if (!flags.choices.empty()) return {.kind = FormatKind::choice, .choices = flags.choices};
  return {};
}

}  // namespace lanerope::cli
