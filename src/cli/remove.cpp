// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/format.h"
#include "cli/output.h"
#include "hub/removal.h"
#include "hub/settings.h"

namespace lanerope::cli {

namespace {

constexpr auto footer =
    "Takes GGUF files out of the cache, of every commit that it has; other files of the repository stay.\n"
    "\n"
    "Examples:\n"
    "  lanerope rm user/repo:Q8_0        that quantisation\n"
    "  lanerope rm user/repo             all of the repository's models, and what was fetched in part";

int run(const std::vector<std::string>& names) {
  const hub::Cache cache(hub::settings_from_environment().cache);
  std::vector<hub::Wanted> all;  // a wrong name is said before anything is removed
  for (const std::string& name : names) all.push_back(hub::parse_wanted(name));
  for (const hub::Wanted& wanted : all) {
    const hub::Removal removal = hub::remove_cached(cache, wanted);
    for (const std::string& name : removal.names) print_out("removed " + name + " of " + wanted.repo + "\n");
    print_out(bytes_text(static_cast<double>(removal.bytes)) + " freed\n");
  }
  return exit_ok;
}

}  // namespace

Command add_remove(CLI::App& root) {
  auto names = std::make_shared<std::vector<std::string>>();
  CLI::App* app = root.add_subcommand("rm", "Remove models that were fetched from the hub");
  app->footer(footer);
  app->add_option("NAME", *names,
                  "user/repo, user/repo:quant or user/repo:file.gguf, as lanerope list has it")
      ->take_all()
      ->required();
  return {app, [names] { return run(*names); }};
}

}  // namespace lanerope::cli
