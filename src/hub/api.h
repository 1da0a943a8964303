// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "hub/http.h"
#include "hub/refusal.h"
#include "hub/snapshot.h"
#include "hub/watch.h"

namespace lanerope::hub {

// The newest commit of a repository's branch main (else of its first) and the files that it has, as the hub
// lists them. Entries that are no file, or would lie outside of the repository's folder, are left out. Throws
// what `refuse` throws, and SystemError where there is no answer or none that makes sense.
Snapshot list_repository(const std::string& repo, HttpClient& client, const FetchOptions& options);

// For messages about a repository, or a file of it.
Asked asked_for(const std::string& repo, const std::string& file, const Settings& settings);

// Where a file of a snapshot is to be had.
std::string url_of(const Snapshot& snapshot, const RepoFile& file, const Settings& settings);

}  // namespace lanerope::hub
