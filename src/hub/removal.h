// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "hub/cache.h"
#include "hub/wanted.h"

namespace lanerope::hub {

// A GGUF file, or the shards of one, that the cache holds.
struct CachedModel {
  std::string name = {};  // what to ask for it by: "user/repo:Q4_K_M"
  std::string repo = {};
  std::filesystem::path file = {};  // the first shard's
  uint64_t bytes = 0;               // of all shards
  int shards = 1;                   // that it has
  bool complete = true;             // all of them are there
  bool newest = true;               // of the commit that the branch stood at when it was asked last
  std::string sha256 = {};          // of the first shard, where the cache knows it
};

std::vector<CachedModel> list_cached(const Cache& cache);

struct Removal {
  std::vector<std::string> names = {};  // files of the repository
  uint64_t bytes = 0;                   // that the disk has back
};

// Takes GGUF files out of the cache: those of the quantisation, the file that is named, or all of the
// repository. Other tools' files stay; a folder in which nothing is left goes. Throws InvalidRequest where
// there is none, SystemError where one is being fetched.
Removal remove_cached(const Cache& cache, const Wanted& wanted);

}  // namespace lanerope::hub
