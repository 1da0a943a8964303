// SPDX-License-Identifier: Apache-2.0
#include <fstream>

#include "hub/cache.h"
#include "hub/choose.h"
#include "hub/download.h"
#include "hub/fetch.h"
#include "lanerope/errors.h"

namespace lanerope::hub {

namespace {

namespace fs = std::filesystem;

std::string read_line(const fs::path& file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  return line;
}

// What cannot be written is fetched again another time.
void write_line(const fs::path& file, const std::string& line) {
  std::ofstream(file) << line;
}

// What the path of a URL ends in.
std::string name_in(const std::string& url) {
  const std::string path = url.substr(0, url.find_first_of("?#"));
  const std::string name = path.substr(path.rfind('/') + 1);
  if (!is_inside(name) || path.find("://") == std::string::npos ||
      path.find('/', path.find("://") + 3) == std::string::npos)
    throw InvalidRequest("'" + url + "' is no URL of a file; write https://host/.../model.gguf");
  return name;
}

// The URLs of all shards, or the one of a file that is whole.
std::vector<std::string> urls_of(const std::string& url) {
  const size_t end = url.find_first_of("?#");
  const GgufName name = parse_gguf_name(url.substr(0, end));
  if (name.shards <= 1) return {url};
  std::vector<std::string> urls;
  for (int number = 1; number <= name.shards; ++number)
    urls.push_back(shard_name(name, number) + (end == std::string::npos ? "" : url.substr(end)));
  return urls;
}

// A token of the user's environment is the hub's alone.
Token token_for(const std::string& url, const Settings& settings) {
  const bool fits = settings.token.from == "--hf-token" || host_of(url) == host_of(settings.endpoint);
  return fits ? settings.token : Token{};
}

// What the file was when it was fetched is written beside it, as llama.cpp does, in NAME.etag.
class UrlFile {
 public:
  explicit UrlFile(fs::path target)
      : target_(std::move(target)),
        etag_(target_.string() + ".etag"),
        partial_(target_.string() + ".incomplete"),
        partial_etag_(partial_.string() + ".etag") {}

  bool is_there() const {
    std::error_code none;
    return fs::is_regular_file(target_, none);
  }
  // It lies there without lanerope or llama.cpp having fetched it.
  bool is_foreign() const { return is_there() && read_line(etag_).empty(); }

  Outcome bring(const std::string& url, HttpClient& client, const FetchOptions& options) const {
    const Token token = token_for(url, options.settings);
    const std::string host = host_of(url);
    std::string etag;
    const Outcome outcome =
        download({.name = target_.filename(),
                  .url = url,
                  .token = token,
                  .target = target_,
                  .partial = partial_,
                  .lock = target_.string() + ".lock",
                  .asked = {.host = host, .what = "file " + url, .page = host, .token = token},
                  .prepare =
                      [&](Download& file) {
                        if (is_there()) file.held_etag = read_line(etag_);
                        // Bytes of which nobody knows what they are of.
                        std::error_code none;
                        if (read_line(partial_etag_).empty()) fs::remove(partial_, none);
                        return false;
                      },
                  .belongs =
                      [&](const ReplyHead& head, uint64_t from, Expected& expected) {
                        if (from > 0 && head.etag != read_line(partial_etag_)) return false;
                        etag = head.etag;
                        if (from == 0) write_line(partial_etag_, etag);
                        expected.size = head.size;
                        // The hub's tag of a large file is its SHA-256.
                        if (etag.size() == 64 && is_oid(etag)) expected.oid = etag;
                        return true;
                      }},
                 client, options);
    if (outcome == Outcome::fetched) write_line(etag_, etag);
    std::error_code none;
    fs::remove(partial_etag_, none);
    return outcome;
  }

 private:
  fs::path target_;
  fs::path etag_;
  fs::path partial_;
  fs::path partial_etag_;
};

}  // namespace

Fetched fetch_url(const std::string& url, const fs::path& target, const FetchOptions& options) {
  const std::vector<std::string> urls = urls_of(url);
  HttpClient client(options);
  Fetched fetched;
  for (const std::string& one : urls) {
    const std::string name = name_in(one);
    fs::path path = target.empty() ? options.settings.url_cache / name : target;
    if (urls.size() > 1) path.replace_filename(name);
    const UrlFile file(path);
    fetched.files.push_back(path);
    if (file.is_foreign()) continue;
    if (options.settings.offline) {
      if (!file.is_there())
        throw InvalidRequest(path.string() +
                             " is not there, and offline nothing is fetched; leave --offline out once");
      continue;
    }
    try {
      if (file.bring(one, client, options) == Outcome::fetched) fetched.was_there = false;
    } catch (const Stopped&) {
      throw;
    } catch (const Error& error) {
      if (!file.is_there() || !options.fall_back) throw;
      const std::string what = error.what();
      options.watch.say(what.substr(0, what.find("; ")) + "; going on with " + path.string());
    }
  }
  return fetched;
}

}  // namespace lanerope::hub
