// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace httplib {
struct Request;
}

namespace lanerope::server {

// Who may ask: API keys, and which pages of a browser.
struct AccessRules {
  std::vector<std::string> keys = {};     // none: everybody who reaches the port
  std::vector<std::string> origins = {};  // pages of other origins that may ask ("*": all); none: CORS is off
  bool loopback = true;                   // the server listens on the loopback device only
};

// What of a request matters for this, empty where a header is missing.
struct Credentials {
  std::string authorization = {};
  std::string api_key = {};  // X-Api-Key
  std::string origin = {};
  std::string host = {};
};

Credentials credentials_of(const httplib::Request& request);

// Which of the keys was given, or nothing. Compares digests, so that the time it takes says nothing of the
// keys.
std::optional<size_t> matching_key(const AccessRules& rules, const Credentials& credentials);
// Whether one was, or none is asked for.
bool key_matches(const AccessRules& rules, const Credentials& credentials);

// A page of another origin could otherwise make a visitor's browser spend the visitor's own server: requests
// that a browser says come from elsewhere are refused unless the rules name their origin. With a GET to a
// page's own host it says nothing, so a page whose name was made to point here reads what a GET shows without
// a key, and starts nothing. Nothing tells it from the GET that a reverse proxy hands on: that has a name of
// its own as well, and Sec-Fetch-Site comes over HTTPS and to the loopback device's names alone.
bool origin_allowed(const AccessRules& rules, const Credentials& credentials);

// Whether the answer may be read by the page of that origin (Access-Control-Allow-Origin).
bool shares_with(const AccessRules& rules, std::string_view origin);

// What its requests may carry (Access-Control-Allow-Headers): the headers that the browser asks for
// (Access-Control-Request-Headers), as they came, where that is a list of names of at most 1 KiB; else none.
std::string allowed_headers(std::string_view requested);

}  // namespace lanerope::server
