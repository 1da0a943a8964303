// SPDX-License-Identifier: Apache-2.0
#include "hub/cache.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <optional>

#include "hub/wanted.h"
#include "lanerope/errors.h"

namespace lanerope::hub {

namespace {

namespace fs = std::filesystem;

bool is_hexadecimal(std::string_view text) {
  return std::ranges::all_of(text, [](unsigned char c) { return std::isxdigit(c) != 0; });
}

[[noreturn]] void refuse_write(const fs::path& path, const std::string& why) {
  throw SystemError(path.string() + " cannot be written (" + why +
                    "); check the permissions of the directory, or name another in HF_HOME");
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) refuse_write(folder, error.message());
}

std::string first_line(const fs::path& file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back())) != 0) line.pop_back();
  return line;
}

// The size of what a path leads to; nothing where it leads nowhere.
std::optional<uint64_t> size_of(const fs::path& path) {
  std::error_code error;
  const uint64_t size = fs::file_size(path, error);
  return error ? std::nullopt : std::optional(size);
}

// Reads a folder that may not be there, or go away meanwhile.
std::vector<fs::path> entries(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> paths;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    paths.push_back(at->path());
  std::ranges::sort(paths);
  return paths;
}

// The files of one commit, those that are there.
std::vector<RepoFile> files_below(const fs::path& top) {
  std::vector<RepoFile> files;
  std::error_code error;
  for (fs::recursive_directory_iterator at(top, error), end; !error && at != end; at.increment(error)) {
    std::error_code none;
    if (at->is_directory(none)) continue;
    const std::optional<uint64_t> size = size_of(at->path());
    if (!size) continue;  // a link to what is not there
    RepoFile file{.path = at->path().lexically_relative(top).generic_string(), .size = *size};
    const fs::path target = fs::read_symlink(at->path(), none);
    if (!none && is_oid(target.filename().string())) file.oid = target.filename();
    files.push_back(std::move(file));
  }
  std::ranges::sort(files, {}, &RepoFile::path);
  return files;
}

}  // namespace

bool is_commit(std::string_view text) {
  return text.size() == 40 && is_hexadecimal(text);
}

bool is_oid(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) && is_hexadecimal(text);
}

bool is_inside(std::string_view path) {
  const bool plain =
      std::ranges::all_of(path, [](unsigned char c) { return c >= 0x20 && c != 0x7f && c != '\\'; });
  if (path.empty() || !plain) return false;
  while (true) {
    const size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

fs::path Cache::folder(const std::string& repo) const {
  return root_ / folder_of_repo(repo);
}
fs::path Cache::lock_folder(const std::string& repo) const {
  return root_ / ".locks" / folder_of_repo(repo);
}
fs::path Cache::blob(const std::string& repo, const std::string& oid) const {
  return folder(repo) / "blobs" / oid;
}
fs::path Cache::partial(const std::string& repo, const std::string& oid) const {
  return folder(repo) / "blobs" / (oid + ".incomplete");
}
fs::path Cache::lock(const std::string& repo, const std::string& oid) const {
  return lock_folder(repo) / (oid + ".lock");
}
fs::path Cache::path(const Snapshot& snapshot, const RepoFile& file) const {
  return folder(snapshot.repo) / "snapshots" / snapshot.commit / file.path;
}

bool Cache::complete(const Snapshot& snapshot, const RepoFile& file) const {
  if (size_of(path(snapshot, file)) == file.size) return true;
  const fs::path bytes = blob(snapshot.repo, file.oid);
  const std::optional<uint64_t> size = size_of(bytes);
  if (!size) return false;
  std::error_code error;
  if (*size == file.size) {
    link(snapshot, file);
    return true;
  }
  // Not whole, whoever left it: what is there of it is gone on from.
  fs::rename(bytes, partial(snapshot.repo, file.oid), error);
  return false;
}

void Cache::link(const Snapshot& snapshot, const RepoFile& file) const {
  const fs::path name = path(snapshot, file);
  const fs::path bytes = blob(snapshot.repo, file.oid);
  make_folder(name.parent_path());
  // Made beside it and renamed, since another process may read the name right now.
  const fs::path fresh = name.string() + "." + std::to_string(getpid()) + ".link";
  std::error_code error;
  fs::create_symlink(bytes.lexically_relative(name.parent_path()), fresh, error);
  if (error) {
    fs::rename(bytes, name, error);
  } else {
    fs::rename(fresh, name, error);
  }
  if (error) refuse_write(name, error.message());
}

void Cache::write_ref(const Snapshot& snapshot) const {
  const fs::path ref = folder(snapshot.repo) / "refs" / snapshot.branch;
  if (first_line(ref) == snapshot.commit) return;
  make_folder(ref.parent_path());
  const fs::path fresh = ref.string() + "." + std::to_string(getpid()) + ".new";
  std::ofstream stream(fresh);
  stream << snapshot.commit;
  stream.close();
  std::error_code error;
  if (stream) fs::rename(fresh, ref, error);
  if (!stream || error) refuse_write(ref, error ? error.message() : "the disk refuses");
}

std::vector<Snapshot> Cache::snapshots(const std::string& repo) const {
  std::vector<Snapshot> snapshots;
  for (const fs::path& path : entries(folder(repo) / "snapshots")) {
    Snapshot snapshot{.repo = repo, .commit = path.filename(), .files = files_below(path)};
    if (!snapshot.files.empty()) snapshots.push_back(std::move(snapshot));
  }
  for (const fs::path& ref : entries(folder(repo) / "refs")) {
    const auto named = std::ranges::find(snapshots, first_line(ref), &Snapshot::commit);
    if (named != snapshots.end() && named->branch != "main") named->branch = ref.filename();
  }
  std::ranges::stable_sort(snapshots, {}, [](const Snapshot& snapshot) {
    return snapshot.branch == "main" ? 0 : snapshot.branch.empty() ? 2 : 1;
  });
  return snapshots;
}

uint64_t Cache::unfinished_bytes(const std::string& repo) const {
  uint64_t bytes = 0;
  for (const fs::path& path : entries(folder(repo) / "blobs")) {
    if (path.extension() == ".incomplete") bytes += size_of(path).value_or(0);
  }
  return bytes;
}

std::vector<std::string> Cache::repos() const {
  std::vector<std::string> repos;
  for (const fs::path& path : entries(root_)) {
    if (const auto repo = repo_of_folder(path.filename().string())) repos.push_back(*repo);
  }
  return repos;
}

}  // namespace lanerope::hub
