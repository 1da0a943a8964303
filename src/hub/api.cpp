// SPDX-License-Identifier: Apache-2.0
#include "hub/api.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "hub/cache.h"
#include "hub/patience.h"
#include "lanerope/errors.h"

namespace lanerope::hub {

namespace {

using Json = nlohmann::json;

constexpr size_t most_bytes = size_t{64} << 20;  // of a reply
constexpr int most_pages = 1000;

struct Page {
  Json json = {};
  std::string next = {};
};

Page get_json(const std::string& url, HttpClient& client, const FetchOptions& options, const Asked& asked) {
  Patience patience(options, asked);
  while (true) {
    std::string text;
    try {
      const ReplyHead head =
          client.get({.url = url, .token = options.settings.token.value},
                     {.body = [&](std::span<const std::byte> bytes) {
                       text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
                       if (text.size() > most_bytes)
                         throw SystemError(asked.host + " answers without end; check HF_ENDPOINT");
                     }});
      if (head.status != 200) {
        patience.wait_for(head);
        continue;
      }
      Json json = Json::parse(text, nullptr, false);
      if (json.is_discarded())
        throw SystemError(asked.host + " does not answer as a model hub does; check HF_ENDPOINT");
      return {.json = std::move(json), .next = head.next_page};
    } catch (const TransferError& error) {
      patience.wait_for(error);
    }
  }
}

std::string text_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

uint64_t size_at(const Json& object) {
  const auto found = object.find("size");
  return found != object.end() && found->is_number_unsigned() ? found->get<uint64_t>() : 0;
}

// The commit of main, else of the first branch.
void read_branches(const Json& refs, Snapshot& snapshot) {
  if (!refs.is_object() || !refs.contains("branches") || !refs["branches"].is_array()) return;
  for (const Json& branch : refs["branches"]) {
    if (!branch.is_object()) continue;
    const std::string name = text_at(branch, "name");
    const std::string commit = text_at(branch, "targetCommit");
    if (!is_commit(commit) || !is_inside(name)) continue;
    if (!snapshot.commit.empty() && name != "main") continue;
    snapshot.branch = name;
    snapshot.commit = commit;
    if (name == "main") return;
  }
}

void read_files(const Json& tree, Snapshot& snapshot) {
  for (const Json& entry : tree) {
    if (!entry.is_object() || text_at(entry, "type") != "file") continue;
    const bool large = entry.contains("lfs") && entry["lfs"].is_object();
    const Json& facts = large ? entry["lfs"] : entry;
    RepoFile file{.path = text_at(entry, "path"), .size = size_at(facts), .oid = text_at(facts, "oid")};
    if (large && file.size == 0) file.size = size_at(entry);
    if (is_inside(file.path) && is_oid(file.oid)) snapshot.files.push_back(std::move(file));
  }
}

}  // namespace

Asked asked_for(const std::string& repo, const std::string& file, const Settings& settings) {
  return {.host = host_of(settings.endpoint),
          .what = file.empty() ? "repository " + repo : "file " + file + " in " + repo,
          .page = settings.endpoint + "/" + repo,
          .token = settings.token};
}

std::string url_of(const Snapshot& snapshot, const RepoFile& file, const Settings& settings) {
  return settings.endpoint + "/" + snapshot.repo + "/resolve/" + snapshot.commit + "/" +
         escape_path(file.path);
}

Snapshot list_repository(const std::string& repo, HttpClient& client, const FetchOptions& options) {
  const Asked asked = asked_for(repo, {}, options.settings);
  const std::string api = options.settings.endpoint + "/api/models/" + repo;
  Snapshot snapshot{.repo = repo};
  read_branches(get_json(api + "/refs", client, options, asked).json, snapshot);
  if (snapshot.commit.empty())
    throw SystemError(asked.host + " tells of no branch of " + repo + "; look at " + asked.page +
                      " in a browser");
  std::string url = api + "/tree/" + snapshot.commit + "?recursive=true";
  for (int page = 0; !url.empty() && page < most_pages; ++page) {
    const Page list = get_json(url, client, options, asked);
    if (!list.json.is_array())
      throw SystemError(asked.host + " does not answer as a model hub does; check HF_ENDPOINT");
    read_files(list.json, snapshot);
    // The token goes with every page, so pages come from the hub alone.
    if (!list.next.empty() && host_of(list.next) != asked.host)
      throw SystemError(asked.host + " sends its list on to " + host_of(list.next) + "; check HF_ENDPOINT");
    url = list.next;
  }
  return snapshot;
}

}  // namespace lanerope::hub
