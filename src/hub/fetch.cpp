// SPDX-License-Identifier: Apache-2.0
#include "hub/fetch.h"

#include <optional>

#include "hub/api.h"
#include "hub/cache.h"
#include "hub/choose.h"
#include "hub/download.h"
#include "lanerope/errors.h"

namespace lanerope::hub {

namespace {

std::vector<RepoFile> choose(const Snapshot& snapshot, const Wanted& wanted, Kind kind) {
  if (kind == Kind::adapter) return {choose_adapter(snapshot, wanted)};
  return choose_model(snapshot, wanted);
}

std::optional<Fetched> find_cached(const Cache& cache, const Wanted& wanted, Kind kind) {
  for (const Snapshot& snapshot : cache.snapshots(wanted.repo)) {
    try {
      Fetched found;
      for (const RepoFile& file : choose(snapshot, wanted, kind))
        found.files.push_back(cache.path(snapshot, file));
      return found;
    } catch (const Error&) {
      continue;  // not of this commit
    }
  }
  return std::nullopt;
}

Fetched take_cached(const Cache& cache, const Wanted& wanted, Kind kind) {
  if (auto found = find_cached(cache, wanted, kind)) return *found;
  throw InvalidRequest(
      text_of(wanted) + " is not in " + cache.root().string() +
      ", and offline nothing is fetched; fetch it once with lanerope pull, without --offline");
}

// Without the advice behind it.
std::string first_clause(const std::string& sentence) {
  return sentence.substr(0, sentence.find("; "));
}

class Fetch {
 public:
  Fetch(const Cache& cache, const Snapshot& snapshot, HttpClient& client, const FetchOptions& options)
      : cache_(cache), snapshot_(snapshot), client_(client), options_(options) {}

  // Whether it had to be fetched.
  bool bring(const RepoFile& file) {
    if (cache_.complete(snapshot_, file)) return false;
    const Settings& settings = options_.settings;
    const Outcome outcome = download({.name = file.path.substr(file.path.rfind('/') + 1),
                                      .url = url_of(snapshot_, file, settings),
                                      .token = settings.token,
                                      .target = cache_.blob(snapshot_.repo, file.oid),
                                      .partial = cache_.partial(snapshot_.repo, file.oid),
                                      .lock = cache_.lock(snapshot_.repo, file.oid),
                                      .expected = {.size = file.size, .oid = file.oid},
                                      .asked = asked_for(snapshot_.repo, file.path, settings),
                                      .prepare = [&](Download&) { return cache_.complete(snapshot_, file); }},
                                     client_, options_);
    if (outcome == Outcome::fetched) cache_.link(snapshot_, file);
    return outcome == Outcome::fetched;
  }

 private:
  const Cache& cache_;
  const Snapshot& snapshot_;
  HttpClient& client_;
  const FetchOptions& options_;
};

}  // namespace

Fetched fetch(const Wanted& wanted, Kind kind, const FetchOptions& options) {
  const Cache cache(options.settings.cache);
  if (options.settings.offline) return take_cached(cache, wanted, kind);
  HttpClient client(options);
  Snapshot snapshot;
  const auto found = options.fall_back ? find_cached(cache, wanted, kind) : std::nullopt;
  FetchOptions asking = options;
  if (found) asking.retry.tries = 1;  // who has the model need not wait for a hub that does not answer
  try {
    snapshot = list_repository(wanted.repo, client, asking);
  } catch (const Stopped&) {
    throw;
  } catch (const Error& error) {
    if (!found) throw;
    options.watch.say(first_clause(error.what()) + "; going on with what the cache has of " +
                      text_of(wanted));
    return *found;
  }
  Fetched fetched;
  Fetch one(cache, snapshot, client, options);
  for (const RepoFile& file : choose(snapshot, wanted, kind)) {
    if (one.bring(file)) fetched.was_there = false;
    fetched.files.push_back(cache.path(snapshot, file));
  }
  cache.write_ref(snapshot);
  return fetched;
}

}  // namespace lanerope::hub
