// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "hub/watch.h"

namespace lanerope::hub {

struct HttpGet {
  std::string url = {};
  std::string token = {};      // for the URL's own host; never sent to where it redirects
  uint64_t from = 0;           // the first byte wanted
  std::string held_etag = {};  // answer with 304 where the file still has this one
  std::string held_date = {};  // or, without a tag, where it has not changed since; as the server wrote it
};

// What is known of a reply before its body comes. The hub describes a file in the reply that redirects to
// where the file lies, so its own headers are taken from any reply on the way.
struct ReplyHead {
  int status = 0;
  std::string etag = {};                    // of the file, without W/ and quotes
  std::string changed = {};                 // when it last did, as the server writes it
  std::optional<uint64_t> length = {};      // bytes of this body
  std::optional<uint64_t> first_byte = {};  // of a part of a file
  std::optional<uint64_t> size = {};        // bytes of the whole file
  std::optional<int> retry_after = {};      // seconds
  std::string error_code = {};              // the hub's: "GatedRepo"
  std::string next_page = {};               // of a list that comes in pages
};

// No reply, or one that broke off (`connected` tells the two apart): what() is a clause that names the host.
// Where it is `lasting`, such as a certificate, another try mends nothing, and what() says what to do.
struct TransferError : std::runtime_error {
  TransferError(const std::string& what, bool is_connected, bool is_lasting)
      : std::runtime_error(what), connected(is_connected), lasting(is_lasting) {}
  bool connected;
  bool lasting;
};

// Takes a reply. What they throw ends the transfer and goes on to the caller of get.
struct ReplySink {
  std::function<void(const ReplyHead&)> head = {};  // of a 200 or 206, before its first byte; may be empty
  std::function<void(std::span<const std::byte>)> body = {};  // of a 200 or 206
};

std::string host_of(std::string_view url);       // "example.org:8080"
std::string escape_path(std::string_view path);  // all but letters, digits, "-._~/" in percents

// HTTP and HTTPS, redirects followed; one thread at a time. Connections are kept between calls.
class HttpClient {
 public:
  explicit HttpClient(const FetchOptions& options);  // which must outlive it
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Throws TransferError; Stopped; InvalidRequest for what is no URL. Any status comes back.
  ReplyHead get(const HttpGet& request, const ReplySink& sink);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lanerope::hub
