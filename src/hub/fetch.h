// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "hub/wanted.h"
#include "hub/watch.h"

namespace lanerope::hub {

// What the hub is asked for: the rules for choosing a file differ.
enum class Kind {
  model,
  adapter,
};

// Files that are there now.
struct Fetched {
  std::vector<std::filesystem::path> files =
      {};                 // of a split model the shards in order; the first is what to load
  bool was_there = true;  // nothing had to be fetched
};

// Brings what is asked for into the cache, as far as it is not there, and says where it is. The hub is asked
// each time which commit is the newest; where it does not answer, or `settings.offline` says not to ask, the
// cache decides. Throws InvalidRequest (no such repository, file, quantisation; not let in; not in the
// cache), BadFile (wrong digest), SystemError (network, disk), Stopped.
Fetched fetch(const Wanted& wanted, Kind kind, const FetchOptions& options);

// Brings the file of a URL, all shards of a split one, to `target`, or where that is empty into the directory
// of such files under its own name. A file that is there and has not changed is not fetched again, and one of
// another URL is never taken for it: it is replaced, or offline refused. One that came by other means stays
// as it is, and InvalidRequest says so. The token goes along where it was given for this (`--hf-token`) or
// the URL is the hub's.
Fetched fetch_url(const std::string& url, const std::filesystem::path& target, const FetchOptions& options);

}  // namespace lanerope::hub
