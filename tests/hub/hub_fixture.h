// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "hub/cache.h"
#include "hub/fetch.h"
#include "lanerope/errors.h"
#include "tests/hub/fake_hub.h"
#include "tests/support/temporary_directory.h"

namespace lanerope::hub {

inline std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

inline void write_bytes(const std::filesystem::path& file, const std::string& bytes) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << bytes;
}

// A hub, an empty cache, and a user who waits milliseconds where others wait seconds.
class WithHub : public testing::Test {
 protected:
  WithHub() {
    options.settings = {.endpoint = hub.endpoint(),
                        .cache = directory.path() / "hub",
                        .url_cache = directory.path() / "urls",
                        .digests = directory.path() / "digests"};
    options.retry = {.tries = 4,
                     .first_wait = std::chrono::milliseconds(5),
                     .longest_wait = std::chrono::seconds(2),
                     .stall = std::chrono::seconds(1)};
    options.watch.note = [this](const std::string& line) { notes.push_back(line); };
    options.watch.progress = [this](const Progress& progress) { reports.push_back(progress); };
  }

  Cache cache() const { return Cache(options.settings.cache); }
  Fetched fetch_model(const std::string& name) { return fetch(parse_wanted(name), Kind::model, options); }

  // The sentence and the kind of what the fetch throws.
  template <typename Kind>
  std::string refusal(const std::string& name) {
    try {
      fetch_model(name);
    } catch (const Kind& error) {
      return error.what();
    } catch (const std::exception& error) {
      return std::string("another kind: ") + error.what();
    }
    return "nothing was thrown";
  }

  // Where a file's bytes are, or are to be.
  std::filesystem::path blob(const std::string& bytes) const {
    return cache().blob("user/repo", sha256_text(bytes));
  }
  std::filesystem::path partial(const std::string& bytes) const {
    return cache().partial("user/repo", sha256_text(bytes));
  }

  support::TemporaryDirectory directory;
  FakeHub hub;
  FetchOptions options;
  std::vector<std::string> notes;
  std::vector<Progress> reports;
};

}  // namespace lanerope::hub
