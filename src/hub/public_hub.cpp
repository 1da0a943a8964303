// SPDX-License-Identifier: Apache-2.0
#include "hub/fetch.h"
#include "hub/settings.h"
#include "hub/wanted.h"
#include "lanerope/errors.h"
#include "lanerope/hub.h"

namespace lanerope {

namespace {

hub::Settings settings_of(const HubOptions& options) {
  hub::Settings settings = hub::settings_from_environment();
  if (!options.token.empty()) {
    settings.token = {.value = options.token, .from = "the token that was given"};
    hub::check_token(settings.token);
  }
  settings.offline = settings.offline || options.offline;
  return settings;
}

std::string fetch_first(const std::string& name, hub::Kind kind, const HubOptions& options) {
  if (!hub::names_hub(name)) return name;
  hub::FetchOptions fetch{.settings = settings_of(options),
                          .watch = {.note = options.note, .stopped = options.stopped}};
  if (options.progress) {
    fetch.watch.progress = [&](const hub::Progress& progress) {
      options.progress({.file = progress.name,
                        .done = progress.done,
                        .total = progress.total,
                        .complete = progress.complete});
    };
  }
  try {
    return hub::fetch(hub::parse_wanted(name), kind, fetch).files.front().string();
  } catch (const hub::Stopped& stopped) {
    throw SystemError(stopped.what());
  }
}

}  // namespace

bool names_hub(std::string_view name) {
  return hub::names_hub(name);
}

std::string hub_model(const std::string& name, const HubOptions& options) {
  return fetch_first(name, hub::Kind::model, options);
}

std::string hub_adapter(const std::string& name, const HubOptions& options) {
  return fetch_first(name, hub::Kind::adapter, options);
}

}  // namespace lanerope
