// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace lanerope::hub {

// A file of a repository.
struct RepoFile {
  std::string path = {};  // in the repository, with '/'
  uint64_t size = 0;      // bytes
  // What it is called among the blobs, and its digest: 64 digits of SHA-256, or 40 of git's SHA-1 for a small
  // file. Empty where another tool put a copy in place of a link.
  std::string oid = {};
};

// A repository at one commit.
struct Snapshot {
  std::string repo = {};
  std::string branch = {};
  std::string commit = {};  // 40 hexadecimal digits
  std::vector<RepoFile> files = {};
};

}  // namespace lanerope::hub
