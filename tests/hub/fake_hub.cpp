// SPDX-License-Identifier: Apache-2.0
#include "tests/hub/fake_hub.h"

#include <httplib.h>
#include <stdlib.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "hub/digest.h"

namespace lanerope::hub {

namespace {

using Json = nlohmann::json;

constexpr auto host = "127.0.0.1";

std::string sha1_text(const std::string& text) {
  Digest digest(DigestKind::sha1);
  digest.add(text);
  return digest.finish();
}

Seen seen_in(const httplib::Request& request) {
  Seen seen{.path = request.path};
  const std::string credentials = request.get_header_value("Authorization");
  if (credentials.starts_with("Bearer ")) seen.token = credentials.substr(7);
  if (!request.ranges.empty()) seen.from = static_cast<uint64_t>(request.ranges.front().first);
  return seen;
}

void reply_with(const Fault& fault, httplib::Response& response) {
  response.status = fault.status;
  for (const auto& [name, value] : fault.headers) response.set_header(name, value);
  response.set_content(fault.body, "application/json");
}

template <typename T>
std::optional<T> take_front(std::deque<T>& queue) {
  if (queue.empty()) return std::nullopt;
  T front = queue.front();
  queue.pop_front();
  return front;
}

class Listener {
 public:
  Listener() { port_ = server.bind_to_any_port(host); }
  ~Listener() {
    server.stop();
    if (thread_.joinable()) thread_.join();
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  void start() {
    thread_ = std::thread([this] { server.listen_after_bind(); });
    server.wait_until_ready();
  }
  std::string address() const { return "http://" + std::string(host) + ":" + std::to_string(port_); }

  httplib::Server server;

 private:
  int port_ = 0;
  std::thread thread_;
};

}  // namespace

struct FakeHub::Servers {
  Listener hub;
  Listener store;
};

FakeHub::FakeHub() : servers_(std::make_unique<Servers>()) {
  setenv("no_proxy", host, 1);
  serve_api();
  serve_files();
  servers_->hub.start();
  servers_->store.start();
}

FakeHub::~FakeHub() = default;

std::string FakeHub::endpoint() const {
  return servers_->hub.address();
}
std::string FakeHub::store() const {
  return servers_->store.address();
}

void FakeHub::put(const std::string& repo, const std::string& path, const std::string& bytes, bool large) {
  const std::lock_guard lock(mutex_);
  Repo& all = repos_[repo];
  all.commit = sha1_text(repo + std::to_string(++puts_));
  const std::string object = "blob " + std::to_string(bytes.size()) + std::string(1, '\0') + bytes;
  all.files[path] = {.bytes = bytes, .oid = large ? sha256_text(bytes) : sha1_text(object), .large = large};
}

std::string FakeHub::commit(const std::string& repo) const {
  const std::lock_guard lock(mutex_);
  return repos_.at(repo).commit;
}

std::vector<Seen> FakeHub::seen_api() const {
  const std::lock_guard lock(mutex_);
  return seen_api_;
}
std::vector<Seen> FakeHub::seen_files() const {
  const std::lock_guard lock(mutex_);
  return seen_files_;
}

void FakeHub::serve_api() {
  httplib::Server& server = servers_->hub.server;
  server.set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
    const std::lock_guard lock(mutex_);
    seen_api_.push_back(seen_in(request));
    if (const auto fault = take_front(api_faults); fault && *fault) {
      reply_with(**fault, response);
      return httplib::Server::HandlerResponse::Handled;
    }
    if (needed_token.empty() || seen_api_.back().token == needed_token)
      return httplib::Server::HandlerResponse::Unhandled;
    reply_with({.status = 401, .headers = {{"X-Error-Code", "RepoNotFound"}}}, response);
    return httplib::Server::HandlerResponse::Handled;
  });

  server.Get(R"(/api/models/([^/]+/[^/]+)/refs)",
             [this](const httplib::Request& request, httplib::Response& response) {
               const std::lock_guard lock(mutex_);
               const auto found = repos_.find(request.matches[1]);
               if (found == repos_.end()) return reply_with({.status = 404}, response);
               const Json refs = {{"tags", Json::array()},
                                  {"branches",
                                   {{{"name", "other"}, {"targetCommit", std::string(40, 'f')}},
                                    {{"name", "main"}, {"targetCommit", found->second.commit}}}}};
               response.set_content(refs.dump(), "application/json");
             });

  server.Get(R"(/api/models/([^/]+/[^/]+)/tree/([0-9a-f]+))", [this](const httplib::Request& request,
                                                                     httplib::Response& response) {
    const std::lock_guard lock(mutex_);
    const auto found = repos_.find(request.matches[1]);
    if (found == repos_.end() || found->second.commit != request.matches[2])
      return reply_with({.status = 404}, response);
    Json list = Json::array({{{"type", "directory"}, {"path", "sub"}, {"oid", std::string(40, '0')}}});
    for (const auto& [path, file] : found->second.files) {
      Json entry = {{"type", "file"}, {"path", path}, {"size", file.bytes.size()}, {"oid", file.oid}};
      if (file.large) {
        entry["oid"] = std::string(40, 'a');
        entry["lfs"] = {{"oid", file.oid}, {"size", file.bytes.size()}, {"pointerSize", 130}};
      }
      list.push_back(entry);
    }
    const size_t from = request.has_param("cursor") ? std::stoul(request.get_param_value("cursor")) : 0;
    const size_t to = std::min<size_t>(from + page, list.size());
    if (to < list.size()) {
      response.set_header("Link", "<" + endpoint() + request.path +
                                      "?recursive=true&cursor=" + std::to_string(to) + ">; rel=\"next\"");
    }
    response.set_content(Json(list.begin() + from, list.begin() + to).dump(), "application/json");
  });

  server.Get(R"(/([^/]+/[^/]+)/resolve/([0-9a-z]+)/(.+))",
             [this](const httplib::Request& request, httplib::Response& response) {
               const std::lock_guard lock(mutex_);
               const auto found = repos_.find(request.matches[1]);
               const std::string path = request.matches[3];
               if (found == repos_.end() || !found->second.files.contains(path))
                 return reply_with({.status = 404, .headers = {{"X-Error-Code", "EntryNotFound"}}}, response);
               const File& file = found->second.files.at(path);
               response.set_header("X-Repo-Commit", found->second.commit);
               const std::string tag = "\"" + file.oid + "\"";
               if (tags) response.set_header("X-Linked-Etag", tag);
               response.set_header("X-Linked-Size", std::to_string(file.bytes.size()));
               const bool same = tags && request.get_header_value("If-None-Match") == tag;
               if (same || (!changed.empty() && request.get_header_value("If-Modified-Since") == changed)) {
                 response.status = 304;
                 return;
               }
               response.set_redirect(store() + "/" + file.oid + "?signature=x");
             });
}

void FakeHub::serve_files() {
  servers_->store.server.Get(
      "/([0-9a-f]+)", [this](const httplib::Request& request, httplib::Response& response) {
        const std::lock_guard lock(mutex_);
        seen_files_.push_back(seen_in(request));
        if (const auto fault = take_front(file_faults); fault && *fault) {
          const_cast<httplib::Request&>(request).ranges.clear();  // the server would cut the reply by itself
          return reply_with(**fault, response);
        }
        const std::string oid = request.matches[1];
        auto bytes = std::make_shared<std::string>();
        for (const auto& [name, repo] : repos_) {
          for (const auto& [path, file] : repo.files) {
            if (file.oid == oid) *bytes = file.bytes;
          }
        }
        if (wrong_files > 0) {
          --wrong_files;
          bytes->at(bytes->size() / 2) ^= 1;
        }
        if (tags) response.set_header("ETag", "\"store-" + oid.substr(0, 8) + "\"");
        if (!changed.empty()) response.set_header("Last-Modified", changed);
        auto left = std::make_shared<uint64_t>(take_front(cuts).value_or(UINT64_MAX));
        const auto provide = [this, bytes, left](size_t offset, size_t length, httplib::DataSink& sink) {
          const int64_t speed = bytes_per_second;
          const size_t piece =
              std::min<uint64_t>({length, *left, speed > 0 ? static_cast<size_t>(speed / 20 + 1) : 65536});
          if (piece == 0) return false;
          if (speed > 0) std::this_thread::sleep_for(std::chrono::milliseconds(50));
          *left -= piece;
          return sink.write(bytes->data() + offset, piece);
        };
        if (ranges) {
          response.set_content_provider(bytes->size(), "application/octet-stream", provide);
          return;
        }
        // The server would make a part of it by itself.
        const_cast<httplib::Request&>(request).ranges.clear();
        response.status = 200;
        response.set_chunked_content_provider("application/octet-stream",
                                              [provide, bytes](size_t offset, httplib::DataSink& sink) {
                                                if (offset == bytes->size()) {
                                                  sink.done();
                                                  return true;
                                                }
                                                return provide(offset, bytes->size() - offset, sink);
                                              });
      });
}

std::string some_bytes(size_t size, uint32_t seed) {
  std::mt19937 random(seed);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

std::string sha256_text(const std::string& bytes) {
  Digest digest(DigestKind::sha256);
  digest.add(bytes);
  return digest.finish();
}

}  // namespace lanerope::hub
