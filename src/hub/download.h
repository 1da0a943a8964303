// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "hub/http.h"
#include "hub/partial_file.h"
#include "hub/refusal.h"
#include "hub/watch.h"

namespace lanerope::hub {

// One file to bring to `target`.
struct Download {
  std::string name = {};  // for messages and for Progress
  std::string url = {};
  Token token = {};  // value empty: sent without
  std::filesystem::path target = {};
  std::filesystem::path partial = {};  // what it is called until it is whole
  std::filesystem::path lock = {};
  Expected expected = {};
  std::string held_etag = {};  // the reply may be: it still has that one, and nothing is fetched
  std::string held_date = {};  // likewise: it has not changed since, for a server without tags
  Asked asked = {};

  // Called when the lock is held: whether nothing is to be done, since another process has done it. May
  // change what is expected and held. May be empty.
  std::function<bool(Download&)> prepare = {};
  // Called with each reply that brings bytes: whether the bytes that are there (`from` of them) belong to
  // that file, which none always do; may say what is expected of it from here on. Empty: they do.
  std::function<bool(const ReplyHead&, uint64_t from, Expected&)> belongs = {};
  // Called when the file has its name, while the lock is held. May be empty.
  std::function<void()> arrived = {};
};

enum class Outcome {
  was_there,  // nothing was fetched
  fetched,
};

// Brings the file, whatever happens on the way: a reply that breaks off is gone on from, a server in trouble
// is waited for, a wrong digest is fetched once more. Throws what `refuse` throws, SystemError (network,
// disk), BadFile (wrong digest twice), Stopped.
Outcome download(Download file, HttpClient& client, const FetchOptions& options);

}  // namespace lanerope::hub
