// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/model_source.h"
#include "cli/output.h"
#include "lanerope/errors.h"

namespace lanerope::cli {

namespace {

constexpr auto footer =
    "Prints where each model is (of a split one, the first shard); what -hf fetches as well, and a command "
    "that\n"
    "is given the same name afterwards fetches nothing. A fetch that was cut off goes on from where it was.\n"
    "\n"
    "Examples:\n"
    "  lanerope pull user/repo:Q8_0\n"
    "  lanerope pull -hf user/repo -hff sub/model-Q4_0.gguf\n"
    "  lanerope pull --adapter user/lora-repo\n"
    "  lanerope run -m \"$(lanerope pull user/repo)\" \"What is 17 * 23?\"\n"
    "\n"
    "docs/models.md tells where files go and which environment variables count.";

struct PullFlags {
  std::vector<std::string> names;
  ModelSource source;
  bool adapter = false;
};

void pull(FetchJob job) {
  job.fall_back = false;  // what could not be asked for was not pulled
  print_out(fetch_shown(job).files.front().string() + "\n");
}

int run(const PullFlags& flags) {
  const hub::Kind kind = flags.adapter ? hub::Kind::adapter : hub::Kind::model;
  const hub::Wanted wanted = wanted_of(flags.source);
  if (flags.names.empty() && wanted.repo.empty() && flags.source.url.empty())
    throw InvalidRequest("nothing is named; write lanerope pull user/repo or lanerope pull user/repo:quant");
  std::vector<FetchJob> jobs;  // a wrong name is said before anything is fetched
  for (const std::string& name : flags.names)
    jobs.push_back({.wanted = hub::parse_wanted(name), .kind = kind, .hub = flags.source.hub});
  if (!wanted.repo.empty()) jobs.push_back({.wanted = wanted, .kind = kind, .hub = flags.source.hub});
  if (!flags.source.url.empty()) jobs.push_back({.url = flags.source.url, .hub = flags.source.hub});
  for (const FetchJob& job : jobs) pull(job);
  return exit_ok;
}

}  // namespace

Command add_pull(CLI::App& root) {
  auto flags = std::make_shared<PullFlags>();
  CLI::App* app = root.add_subcommand("pull", "Fetch models from the hub, and print where they are");
  app->footer(footer);
  app->add_option("NAME", flags->names, "user/repo, user/repo:quant or user/repo:file.gguf")->take_all();
  app->add_flag("--adapter", flags->adapter, "Choose a file as --lora hf:... does");
  add_hub_source(*app, flags->source);
  return {app, [flags] { return run(*flags); }};
}

}  // namespace lanerope::cli
