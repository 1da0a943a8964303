// SPDX-License-Identifier: Apache-2.0
#include "cli/model_source.h"

#include "cli/bundled_files.h"
#include "cli/fetch_view.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "lanerope/errors.h"

namespace lanerope::cli {

void add_hub_flags(CLI::App& app, HubFlags& flags, const std::string& group) {
  const auto grouped = [&](CLI::Option* option) { return group.empty() ? option : option->group(group); };
  grouped(app.add_option("--hf-token", flags.token,
                         "Token for the hub (default: HF_TOKEN, or the file of its tools)")
              ->type_name("TOKEN"));
  grouped(app.add_flag("--offline", flags.offline, "Fetch nothing, and take what the cache has"));
}

void add_hub_source(CLI::App& app, ModelSource& source, const std::string& group) {
  const auto grouped = [&](CLI::Option* option) { return group.empty() ? option : option->group(group); };
  grouped(
      app.add_option("--hf-repo", source.repo,
                     "Model user/repo[:quant] from the hub, fetched once (default quant: Q4_K_M, else Q8_0, "
                     "else the first there is)")
          ->type_name("REPO"));
  grouped(
      app.add_option("--hf-file", source.repo_file, "This file of that repository, whatever its quantisation")
          ->type_name("PATH"));
  grouped(app.add_option("--model-url", source.url, "Model from a URL, fetched once; -m says where to")
              ->type_name("URL"));
  add_hub_flags(app, source.hub, group);
}

void add_model_source(CLI::App& app, ModelSource& source, const std::string& group) {
  CLI::Option* file =
      app.add_option("-m,--model", source.file, "GGUF file (default: the bundled model)")->type_name("FILE");
  if (!group.empty()) file->group(group);
  add_hub_source(app, source, group);
}

hub::Settings hub_settings(const HubFlags& flags) {
  hub::Settings settings = hub::settings_from_environment();
  if (!flags.token.empty()) {
    settings.token = {.value = flags.token, .from = "--hf-token"};
    hub::check_token(settings.token);
  }
  settings.offline = settings.offline || flags.offline;
  return settings;
}

hub::Wanted wanted_of(const ModelSource& source) {
  if (!source.repo.empty() && !source.file.empty())
    throw InvalidRequest(
        "-m names a file and -hf a repository; give one of the two (-hff names a file of the repository)");
  if (!source.url.empty() && (!source.repo.empty() || hub::names_hub(source.file)))
    throw InvalidRequest("-mu names a URL and -hf a repository; give one of the two");
  const std::string& name = source.repo.empty() && hub::names_hub(source.file) ? source.file : source.repo;
  if (name.empty() && !source.repo_file.empty())
    throw InvalidRequest("-hff names a file of a repository; say which repository with -hf");
  if (name.empty()) return {};
  hub::Wanted wanted = hub::parse_wanted(name);
  if (!source.repo_file.empty()) {
    wanted.file = source.repo_file;
    wanted.quant.clear();
  }
  return wanted;
}

hub::Fetched fetch_shown(const FetchJob& job) {
  FetchView view;
  const InterruptGuard guard;
  const hub::FetchOptions options{
      .settings = hub_settings(job.hub),
      .watch = {.progress = [&](const hub::Progress& progress) { view.show(progress); },
                .note = [&](const std::string& line) { view.note(line); },
                .stopped = InterruptGuard::interrupted},
      .fall_back = job.fall_back};
  try {
    if (job.wanted.repo.empty()) return hub::fetch_url(job.url, job.target, options);
    return hub::fetch(job.wanted, job.kind, options);
  } catch (const hub::Stopped& stopped) {
    view.note(stopped.what());
    throw;
  }
}

std::string model_file(const ModelSource& source) {
  const hub::Wanted wanted = wanted_of(source);
  if (wanted.repo.empty() && source.url.empty())
    return source.file.empty() ? default_model_file() : source.file;
  return fetch_shown({.wanted = wanted, .url = source.url, .target = source.file, .hub = source.hub})
      .files.front()
      .string();
}

std::string adapter_file(const std::string& name, const HubFlags& flags) {
  if (name.starts_with(bundled_adapter_prefix))
    return bundled_adapter_file(std::string_view(name).substr(bundled_adapter_prefix.size()));
  if (!hub::names_hub(name)) return name;
  return fetch_shown({.wanted = hub::parse_wanted(name), .kind = hub::Kind::adapter, .hub = flags})
      .files.front()
      .string();
}

}  // namespace lanerope::cli
