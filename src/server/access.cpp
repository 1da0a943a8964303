// SPDX-License-Identifier: Apache-2.0
#include "server/access.h"

#include <httplib.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace lanerope::server {

namespace {

using Digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

Digest digest(std::string_view text) {
  Digest result{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), result.data());
  return result;
}

// "http://host:port" -> "host:port"
std::string_view authority(std::string_view origin) {
  const size_t at = origin.find("://");
  return at == std::string_view::npos ? origin : origin.substr(at + 3);
}

std::string_view without_port(std::string_view host) {
  const size_t colon = host.rfind(':');
  const size_t bracket = host.rfind(']');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  return has_port ? host.substr(0, colon) : host;
}

// A name such as 127.evil.example only looks like an address.
bool names_loopback(std::string_view host) {
  const std::string_view name = without_port(host);
  const bool address = name.find_first_not_of("0123456789.") == std::string_view::npos;
  return name == "localhost" || name == "[::1]" || (address && name.starts_with("127."));
}

std::string_view stripped(std::string_view text) {
  constexpr std::string_view spaces = " \t";
  text.remove_prefix(std::min(text.find_first_not_of(spaces), text.size()));
  return text.substr(0, text.find_last_not_of(spaces) + 1);
}

bool equal_without_case(std::string_view a, std::string_view b) {
  const auto lower = [](unsigned char c) { return std::tolower(c); };
  return std::ranges::equal(a, b, {}, lower, lower);
}

// A token, as HTTP calls it.
bool is_header_name(std::string_view name) {
  static constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || marks.find(c) != std::string_view::npos;
  });
}

}  // namespace

Credentials credentials_of(const httplib::Request& request) {
  return {.authorization = request.get_header_value("Authorization"),
          .api_key = request.get_header_value("X-Api-Key"),
          .origin = request.get_header_value("Origin"),
          .host = request.get_header_value("Host")};
}

std::optional<size_t> matching_key(const AccessRules& rules, const Credentials& credentials) {
  constexpr std::string_view bearer = "bearer ";
  std::string_view given = credentials.api_key;
  const std::string_view authorization = credentials.authorization;
  if (equal_without_case(authorization.substr(0, bearer.size()), bearer))
    given = authorization.substr(bearer.size());
  const Digest wanted = digest(given);
  std::optional<size_t> matching;
  for (size_t k = 0; k < rules.keys.size(); ++k) {
    const Digest known = digest(rules.keys[k]);
    if (CRYPTO_memcmp(known.data(), wanted.data(), wanted.size()) == 0) matching = k;
  }
  return matching;
}

bool key_matches(const AccessRules& rules, const Credentials& credentials) {
  return rules.keys.empty() || matching_key(rules, credentials).has_value();
}

bool shares_with(const AccessRules& rules, std::string_view origin) {
  return std::ranges::any_of(rules.origins,
                             [origin](const std::string& one) { return one == "*" || one == origin; });
}

std::string allowed_headers(std::string_view requested) {
  constexpr size_t longest = 1024;
  if (requested.size() > longest) return {};
  for (size_t at = 0; at <= requested.size();) {
    const size_t comma = std::min(requested.find(',', at), requested.size());
    if (!is_header_name(stripped(requested.substr(at, comma - at)))) return {};
    at = comma + 1;
  }
  return std::string(requested);
}

bool origin_allowed(const AccessRules& rules, const Credentials& credentials) {
  if (credentials.origin.empty() || shares_with(rules, credentials.origin)) return true;
  const std::string_view from = authority(credentials.origin);
  // A name that was made to point here (DNS rebinding) is its own origin, but does not name the loopback
  // device.
  return from == credentials.host && (!rules.loopback || names_loopback(from));
}

}  // namespace lanerope::server
