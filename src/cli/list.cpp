// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/format.h"
#include "cli/output.h"
#include "hub/removal.h"
#include "hub/settings.h"

namespace lanerope::cli {

namespace {

using Json = nlohmann::ordered_json;

constexpr auto footer =
    "The cache is shared with llama.cpp and the hub's own library, so what those fetched is listed too.\n"
    "\n"
    "Examples:\n"
    "  lanerope list\n"
    "  lanerope list --json | jq -r '.models[] | select(.bytes > 4e9) | .name'";

std::string state_of(const hub::CachedModel& model) {
  std::string state = model.shards > 1 ? std::to_string(model.shards) + " shards" : "";
  const auto add = [&](const char* text) { state += (state.empty() ? "" : ", ") + std::string(text); };
  if (!model.complete) add("not all there");
  if (!model.newest) add("of an older commit");
  return state;
}

void print_text(const hub::Cache& cache, const std::vector<hub::CachedModel>& models) {
  std::vector<std::vector<std::string>> rows = {{"name", "size", ""}};
  uint64_t bytes = 0;
  for (const hub::CachedModel& model : models) {
    rows.push_back({model.name, bytes_text(static_cast<double>(model.bytes)), state_of(model)});
    bytes += model.bytes;
  }
  std::string text;
  if (models.empty()) {
    text = "no models in " + cache.root().string() + "; lanerope pull user/repo fetches one\n";
  } else {
    text = table_text(rows) + "\n" + bytes_text(static_cast<double>(bytes)) + " in " + cache.root().string() +
           "\n";
  }
  for (const std::string& repo : cache.repos()) {
    if (const uint64_t part = cache.unfinished_bytes(repo); part > 0)
      text += bytes_text(static_cast<double>(part)) + " of " + repo +
              " are not whole; lanerope pull goes on, lanerope rm " + repo + " removes them\n";
  }
  print_out(output_is_terminal() ? without_controls(text) : text);
}

void print_json(const hub::Cache& cache, const std::vector<hub::CachedModel>& models) {
  Json json = {{"cache", cache.root().string()}, {"models", Json::array()}};
  for (const hub::CachedModel& model : models) {
    json["models"].push_back({{"name", model.name},
                              {"repo", model.repo},
                              {"file", model.file.string()},
                              {"bytes", model.bytes},
                              {"shards", model.shards},
                              {"complete", model.complete},
                              {"newest", model.newest},
                              {"sha256", model.sha256.empty() ? Json() : Json(model.sha256)}});
  }
  print_json_line(json);
}

}  // namespace

Command add_list(CLI::App& root) {
  auto as_json = std::make_shared<bool>(false);
  CLI::App* app = root.add_subcommand("list", "List the models that were fetched from the hub");
  app->footer(footer);
  app->add_flag("--json", *as_json, "One JSON object");
  return {app, [as_json] {
            const hub::Cache cache(hub::settings_from_environment().cache);
            const std::vector<hub::CachedModel> models = hub::list_cached(cache);
            *as_json ? print_json(cache, models) : print_text(cache, models);
            return int{exit_ok};
          }};
}

}  // namespace lanerope::cli
