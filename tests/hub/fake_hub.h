// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace lanerope::hub {

// A reply in place of the right one.
struct Fault {
  int status = 500;
  std::map<std::string, std::string> headers = {};
  std::string body = "{\"error\":\"made up\"}";
};

// What somebody asked one of the two servers for.
struct Seen {
  std::string path = {};
  std::string token = {};             // behind "Bearer "
  std::optional<uint64_t> from = {};  // of a range
};

// A model hub on loopback: the API that lists a repository, and files that redirect to a second server, which
// knows ranges. What can go wrong there can be asked for.
class FakeHub {
 public:
  FakeHub();
  ~FakeHub();
  FakeHub(const FakeHub&) = delete;
  FakeHub& operator=(const FakeHub&) = delete;

  std::string endpoint() const;  // "http://127.0.0.1:PORT"
  std::string store() const;     // the second server's

  // Adds a file to a repository, or changes it; the repository's commit changes with it. A file is large, and
  // known by its SHA-256, unless said otherwise.
  void put(const std::string& repo, const std::string& path, const std::string& bytes, bool large = true);
  std::string commit(const std::string& repo) const;

  std::vector<Seen> seen_api() const;
  std::vector<Seen> seen_files() const;  // by the second server

  // Each is taken by one request; an empty optional of a queue lets one through.
  std::deque<std::optional<Fault>> api_faults;
  std::deque<std::optional<Fault>> file_faults;
  std::deque<uint64_t> cuts;         // bytes after which the connection breaks off
  std::atomic<int> wrong_files = 0;  // so many files come with a byte changed
  std::string needed_token;          // for the API and for files
  std::atomic<bool> ranges = true;
  std::atomic<bool> tags = true;              // replies name the file's ETag
  std::string changed;                        // Last-Modified of all files; empty: not told
  std::atomic<int> page = 1000;               // files a page of the listing
  std::atomic<int64_t> bytes_per_second = 0;  // 0: as quick as can be

 private:
  struct Servers;
  struct File {
    std::string bytes;
    std::string oid;
    bool large;
  };
  struct Repo {
    std::string commit;
    std::map<std::string, File> files;
  };

  void serve_api();
  void serve_files();

  mutable std::mutex mutex_;
  std::map<std::string, Repo> repos_;
  std::vector<Seen> seen_api_;
  std::vector<Seen> seen_files_;
  int puts_ = 0;
  std::unique_ptr<Servers> servers_;
};

// `size` bytes that depend on `seed`.
std::string some_bytes(size_t size, uint32_t seed);

std::string sha256_text(const std::string& bytes);

}  // namespace lanerope::hub
