// SPDX-License-Identifier: Apache-2.0
#include "hub/removal.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "hub/choose.h"
#include "hub/file_lock.h"
#include "lanerope/errors.h"

namespace lanerope::hub {

namespace {

namespace fs = std::filesystem;

bool same_letters(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::toupper(x) == std::toupper(y); });
}

// By its quantisation where that leads to it, else by its path.
std::string name_of(const Snapshot& snapshot, const RepoFile& file) {
  const std::string quant = parse_gguf_name(file.path).quant;
  if (!quant.empty() && is_model_name(file.path)) {
    const auto same = [&](const RepoFile& other) {
      const GgufName name = parse_gguf_name(other.path);
      return is_model_name(other.path) && name.shard == 1 && name.quant == quant;
    };
    if (std::ranges::count_if(snapshot.files, same) == 1) return snapshot.repo + ":" + quant;
  }
  return snapshot.repo + ":" + file.path;
}

CachedModel describe(const Cache& cache, const Snapshot& snapshot, const RepoFile& first) {
  const GgufName name = parse_gguf_name(first.path);
  CachedModel model{.name = name_of(snapshot, first),
                    .repo = snapshot.repo,
                    .file = cache.path(snapshot, first),
                    .shards = name.shards,
                    .newest = !snapshot.branch.empty(),
                    .sha256 = first.oid.size() == 64 ? first.oid : ""};
  int there = 0;
  for (const RepoFile& file : snapshot.files) {
    const GgufName other = parse_gguf_name(file.path);
    if (other.shards != name.shards || other.prefix != name.prefix) continue;
    model.bytes += file.size;
    ++there;
  }
  model.complete = there == std::max(name.shards, 1);
  return model;
}

bool is_wanted(const RepoFile& file, const Wanted& wanted) {
  const GgufName name = parse_gguf_name(file.path);
  if (name.shards == 0) return false;
  if (!wanted.file.empty()) {
    const GgufName asked = parse_gguf_name(wanted.file);
    return file.path == wanted.file ||
           (name.shards > 1 && asked.shards == name.shards && asked.prefix == name.prefix);
  }
  return wanted.quant.empty() || same_letters(name.quant, wanted.quant);
}

uint64_t remove_file(const fs::path& path) {
  std::error_code error;
  const uint64_t bytes = fs::is_symlink(path, error) ? 0 : fs::file_size(path, error);
  const bool counted = !error;
  fs::remove(path, error);
  if (error)
    throw SystemError(path.string() + " cannot be removed (" + error.message() + "); check its permissions");
  return counted ? bytes : 0;
}

void throw_if_fetched(const Cache& cache, const std::string& repo) {
  std::error_code error;
  for (fs::directory_iterator at(cache.lock_folder(repo), error), end; !error && at != end;
       at.increment(error)) {
    if (FileLock::is_held(at->path()))
      throw SystemError("another program is fetching a file of " + repo +
                        " right now; wait for it, or end it");
  }
}

// Blobs that no snapshot leads to any more, and those that are not whole.
uint64_t remove_unused_blobs(const Cache& cache, const std::string& repo,
                             const std::set<std::string>& candidates, bool unfinished) {
  std::set<std::string> used;
  for (const Snapshot& snapshot : cache.snapshots(repo)) {
    for (const RepoFile& file : snapshot.files) used.insert(file.oid);
  }
  uint64_t bytes = 0;
  for (const std::string& oid : candidates) {
    if (!oid.empty() && !used.contains(oid)) bytes += remove_file(cache.blob(repo, oid));
  }
  std::error_code error;
  for (fs::directory_iterator at(cache.folder(repo) / "blobs", error), end; !error && at != end;
       at.increment(error)) {
    if (unfinished && at->path().extension() == ".incomplete") bytes += remove_file(at->path());
  }
  return bytes;
}

}  // namespace

std::vector<CachedModel> list_cached(const Cache& cache) {
  std::vector<CachedModel> models;
  for (const std::string& repo : cache.repos()) {
    std::set<std::string> seen;
    for (const Snapshot& snapshot : cache.snapshots(repo)) {
      for (const RepoFile& file : snapshot.files) {
        const GgufName name = parse_gguf_name(file.path);
        const bool first = name.shards != 0 && name.shard == 1;
        if (first && seen.insert(file.path + " " + file.oid).second)
          models.push_back(describe(cache, snapshot, file));
      }
    }
  }
  return models;
}

Removal remove_cached(const Cache& cache, const Wanted& wanted) {
  throw_if_fetched(cache, wanted.repo);
  const bool all = wanted.quant.empty() && wanted.file.empty();
  Removal removal;
  std::set<std::string> oids;
  for (const Snapshot& snapshot : cache.snapshots(wanted.repo)) {
    for (const RepoFile& file : snapshot.files) {
      if (!is_wanted(file, wanted)) continue;
      removal.bytes += remove_file(cache.path(snapshot, file));
      if (std::ranges::find(removal.names, file.path) == removal.names.end())
        removal.names.push_back(file.path);
      oids.insert(file.oid);
    }
  }
  const uint64_t unfinished = all ? cache.unfinished_bytes(wanted.repo) : 0;
  if (removal.names.empty() && unfinished == 0)
    throw InvalidRequest(text_of(wanted) + " is not in " + cache.root().string() + "; see lanerope list");
  removal.bytes += remove_unused_blobs(cache, wanted.repo, oids, all);
  if (cache.snapshots(wanted.repo).empty()) {
    std::error_code ignored;
    fs::remove_all(cache.folder(wanted.repo), ignored);
    fs::remove_all(cache.lock_folder(wanted.repo), ignored);
  }
  return removal;
}

}  // namespace lanerope::hub
