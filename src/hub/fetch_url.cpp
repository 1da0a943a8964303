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

std::string without_query(const std::string& url) {
  return url.substr(0, url.find_first_of("?#"));
}

// What the path of a URL ends in.
std::string name_in(const std::string& url) {
  const std::string path = without_query(url);
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

// What is known of a file that was fetched.
struct Origin {
  std::string url = {};   // empty: not known, as of what llama.cpp fetched, which keeps the tag alone
  std::string etag = {};  // what the server called the file then; empty: it has no tags
  std::string date = {};  // of the file's last change, for a server without tags; empty: it tells none
};

// Beside a file stands what it was when it was fetched: in NAME.etag the server's tag, as llama.cpp keeps it,
// and in NAME.url its URL and, on a second line, its date.
class UrlFile {
 public:
  UrlFile(fs::path target, std::string url)
      : target_(std::move(target)),
        url_(std::move(url)),
        etag_(target_.string() + ".etag"),
        origin_(target_.string() + ".url"),
        partial_(target_.string() + ".incomplete"),
        partial_etag_(partial_.string() + ".etag") {}

  // What lies there without lanerope or llama.cpp having fetched it is the user's own: it is not replaced,
  // and never passes for the URL's.
  void refuse_own() const {
    if (!is_there() || exists(etag_) || exists(origin_)) return;
    throw InvalidRequest(target_.string() + " was not fetched from " + url_ +
                         "; give -m another name or leave -mu out");
  }

  const fs::path& path() const { return target_; }

  // What is there may be taken for the URL's file.
  bool serves() const { return is_there() && other_url().empty(); }

  void check_offline() const {
    if (serves()) return;
    const std::string other = other_url();
    const std::string why = other.empty() ? " is not there" : " is the file of " + other + ", not of " + url_;
    throw InvalidRequest(target_.string() + why +
                         ", and offline nothing is fetched; leave --offline out once");
  }

  Outcome bring(HttpClient& client, const FetchOptions& options) const {
    const Token token = token_for(url_, options.settings);
    const std::string host = host_of(url_);
    Origin now{.url = url_};
    const Outcome outcome =
        download({.name = target_.filename(),
                  .url = url_,
                  .token = token,
                  .target = target_,
                  .partial = partial_,
                  .lock = target_.string() + ".lock",
                  .asked = {.host = host, .what = "file " + url_, .page = host, .token = token},
                  .prepare = [&](Download& file) { return prepare(file, options.watch); },
                  .belongs =
                      [&](const ReplyHead& head, uint64_t from, Expected& expected) {
                        if (from > 0 && head.etag != read_line(partial_etag_)) return false;
                        now.etag = head.etag;
                        now.date = head.etag.empty() ? head.changed : std::string();
                        if (from == 0) write_line(partial_etag_, now.etag);
                        expected.size = head.size;
                        // The hub's tag of a large file is its SHA-256.
                        if (now.etag.size() == 64 && is_oid(now.etag)) expected.oid = now.etag;
                        return true;
                      },
                  .arrived =
                      [&] {
                        write_line(etag_, now.etag);
                        write_origin(now);
                      }},
                 client, options);
    // The server knows what is there as this URL's file.
    if (const Origin held = origin(); outcome == Outcome::was_there && held.url != url_)
      write_origin({.url = url_, .date = held.date});
    std::error_code none;
    fs::remove(partial_etag_, none);
    return outcome;
  }

 private:
  static bool exists(const fs::path& file) {
    std::error_code none;
    return fs::exists(file, none);
  }
  bool is_there() const {
    std::error_code none;
    return fs::is_regular_file(target_, none);
  }

  Origin origin() const {
    Origin held{.etag = read_line(etag_)};
    std::ifstream stream(origin_);
    std::getline(stream, held.url);
    std::getline(stream, held.date);
    return held;
  }
  void write_origin(const Origin& of) const { write_line(origin_, of.url + "\n" + of.date); }

  // Whose file is there; empty: this URL's, nobody knows whose, or there is none.
  std::string other_url() const {
    const std::string from = origin().url;
    return is_there() && from != url_ ? from : std::string();
  }

  // What the server is to be asked about what is there; true: nothing, since it could not tell.
  bool prepare(Download& file, const Watch& watch) const {
    const Origin held = origin();
    const std::string other = other_url();
    // Signatures in a query come and go; a tag tells of a path's file whether it is the same.
    if (is_there() && (other.empty() || without_query(other) == without_query(url_))) {
      file.held_etag = held.etag;
    } else if (!other.empty()) {
      watch.say(file.name + " is the file of " + other + "; fetching that of " + url_ + " in its place");
    }
    if (serves()) file.held_date = held.date;
    // Bytes of which nobody knows what they are of.
    std::error_code none;
    if (read_line(partial_etag_).empty()) fs::remove(partial_, none);
    if (!is_there() || held.url != url_ || !held.etag.empty() || !held.date.empty()) return false;
    watch.say(file.asked.host + " does not tell whether " + file.name + " has changed; going on with " +
              target_.string() + ", remove it to have it fetched again");
    return true;
  }

  fs::path target_;
  std::string url_;
  fs::path etag_;
  fs::path origin_;
  fs::path partial_;
  fs::path partial_etag_;
};

}  // namespace

Fetched fetch_url(const std::string& url, const fs::path& target, const FetchOptions& options) {
  const std::vector<std::string> urls = urls_of(url);
  std::vector<UrlFile> files;
  Fetched fetched;
  for (const std::string& one : urls) {
    const std::string name = name_in(one);
    fs::path path = target.empty() ? options.settings.url_cache / name : target;
    if (urls.size() > 1) path.replace_filename(name);
    const UrlFile& file = files.emplace_back(path, one);
    if (!target.empty()) file.refuse_own();  // the cache holds nothing of the user's
    fetched.files.push_back(std::move(path));
  }
  HttpClient client(options);
  for (const UrlFile& file : files) {
    if (options.settings.offline) {
      file.check_offline();
      continue;
    }
    try {
      if (file.bring(client, options) == Outcome::fetched) fetched.was_there = false;
    } catch (const Stopped&) {
      throw;
    } catch (const Error& error) {
      if (!file.serves() || !options.fall_back) throw;
      const std::string what = error.what();
      options.watch.say(what.substr(0, what.find("; ")) + "; going on with " + file.path().string());
    }
  }
  return fetched;
}

}  // namespace lanerope::hub
