// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "hub/snapshot.h"

namespace lanerope::hub {

bool is_commit(std::string_view text);  // 40 hexadecimal digits
bool is_oid(std::string_view text);     // 40 or 64
// Whether a path out of a list stays inside the folder that it is joined to.
bool is_inside(std::string_view path);

// The directory of models that the hub's library, llama.cpp and lanerope share:
//   models--user--repo/refs/main                    a commit
//   models--user--repo/snapshots/COMMIT/PATH        a link to
//   models--user--repo/blobs/OID                    the bytes; OID.incomplete while they come
//   .locks/models--user--repo/OID.lock              held by who fetches it
class Cache {
 public:
  explicit Cache(std::filesystem::path root) : root_(std::move(root)) {}

  const std::filesystem::path& root() const { return root_; }
  std::filesystem::path folder(const std::string& repo) const;
  std::filesystem::path lock_folder(const std::string& repo) const;
  std::filesystem::path blob(const std::string& repo, const std::string& oid) const;
  std::filesystem::path partial(const std::string& repo, const std::string& oid) const;
  std::filesystem::path lock(const std::string& repo, const std::string& oid) const;
  std::filesystem::path path(const Snapshot& snapshot, const RepoFile& file) const;

  // Whether the snapshot's file is there, or its bytes are; then it is there afterwards. Throws SystemError.
  bool complete(const Snapshot& snapshot, const RepoFile& file) const;
  // The snapshot's name for bytes that are there: a link, or where the file system has none, the bytes
  // themselves.
  void link(const Snapshot& snapshot, const RepoFile& file) const;
  // That this is the newest commit of its branch.
  void write_ref(const Snapshot& snapshot) const;

  // What is there of a repository: a snapshot for each commit that has files, that of main first.
  std::vector<Snapshot> snapshots(const std::string& repo) const;
  std::vector<std::string> repos() const;  // sorted
  // Bytes of files that are not whole.
  uint64_t unfinished_bytes(const std::string& repo) const;

 private:
  std::filesystem::path root_;
};

}  // namespace lanerope::hub
