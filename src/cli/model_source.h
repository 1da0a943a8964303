// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "hub/fetch.h"

namespace lanerope::cli {

// How the hub is asked: --hf-token and --offline.
struct HubFlags {
  std::string token = {};
  bool offline = false;
};

// Where a model comes from: a file, the hub, or a URL. Nothing: the bundled one.
struct ModelSource {
  std::string file = {};       // -m; or "hf:user/repo[:quant]"
  std::string repo = {};       // -hf, "user/repo[:quant]"
  std::string repo_file = {};  // -hff
  std::string url = {};        // -mu; -m says then where it goes
  HubFlags hub = {};
};

// -m, -hf, -hff, -mu, --hf-token, --offline, as llama.cpp has them.
void add_model_source(CLI::App& app, ModelSource& source, const std::string& group = {});
// -hf, -hff, -mu, --hf-token and --offline alone.
void add_hub_source(CLI::App& app, ModelSource& source, const std::string& group = {});
void add_hub_flags(CLI::App& app, HubFlags& flags, const std::string& group = {});

// The environment's settings, with what the flags say over them.
hub::Settings hub_settings(const HubFlags& flags);

// What the source asks the hub for; the repository is empty where it names a file or nothing. Throws
// InvalidRequest for options that contradict one another.
hub::Wanted wanted_of(const ModelSource& source);

// The file to load: fetched where it is on the hub or at a URL and not here yet, which standard error shows;
// the bundled model where nothing is named. Throws what hub::fetch throws.
std::string model_file(const ModelSource& source);

// An adapter's file: a path as it is, "hf:user/repo[:file]" from the hub, and "lanes:NAME" of those that come
// with lanerope.
std::string adapter_file(const std::string& name, const HubFlags& flags);

// What a fetch takes.
struct FetchJob {
  hub::Wanted wanted = {};  // from the hub; the repository is empty: from the URL
  hub::Kind kind = hub::Kind::model;
  std::string url = {};
  std::filesystem::path target = {};  // of the URL's file
  HubFlags hub = {};
  bool fall_back = true;  // on the cache
};

// Fetches while standard error shows how far it is; Ctrl-C ends it.
hub::Fetched fetch_shown(const FetchJob& job);

}  // namespace lanerope::cli
