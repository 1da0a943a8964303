// SPDX-License-Identifier: Apache-2.0
#include "server/access.h"

#include <gtest/gtest.h>

namespace lanerope::server {
namespace {

TEST(ApiKeys, OpenTheDoorForTheirBearers) {
  const AccessRules rules{.keys = {"first", "second"}};
  EXPECT_TRUE(key_matches(rules, {.authorization = "Bearer second"}));
  EXPECT_TRUE(key_matches(rules, {.authorization = "bearer second"})) << "a scheme has no case";
  EXPECT_TRUE(key_matches(rules, {.authorization = "BEARER second"}));
  EXPECT_FALSE(key_matches(rules, {.authorization = "Bearer Second"})) << "a key has";
  EXPECT_FALSE(key_matches(rules, {.authorization = "Basic second"}));
  EXPECT_TRUE(key_matches(rules, {.api_key = "first"}));
  EXPECT_FALSE(key_matches(rules, {.authorization = "Bearer secon"}));
  EXPECT_FALSE(key_matches(rules, {.authorization = "first"}));
  EXPECT_FALSE(key_matches(rules, {.authorization = "Bearer second "}));
  EXPECT_FALSE(key_matches(rules, {.authorization = "Bearer "}));
  EXPECT_FALSE(key_matches(rules, {}));
  EXPECT_TRUE(key_matches({}, {})) << "without keys everybody may";
}

TEST(Origins, ArePagesOfThisServerUnlessOthersAreAllowed) {
  const AccessRules rules{.origins = {"https://friend.example"}};
  EXPECT_TRUE(origin_allowed(rules, {.origin = "", .host = "127.0.0.1:8080"})) << "no browser";
  EXPECT_TRUE(origin_allowed(rules, {.origin = "http://localhost:8080", .host = "localhost:8080"}));
  EXPECT_TRUE(origin_allowed(rules, {.origin = "http://[::1]:8080", .host = "[::1]:8080"}));
  EXPECT_TRUE(origin_allowed(rules, {.origin = "https://friend.example", .host = "localhost:8080"}));
  EXPECT_FALSE(origin_allowed(rules, {.origin = "http://evil.example", .host = "localhost:8080"}));
  EXPECT_FALSE(origin_allowed(rules, {.origin = "null", .host = "localhost:8080"}));
  EXPECT_FALSE(origin_allowed(rules, {.origin = "http://localhost:9090", .host = "localhost:8080"}));
}

TEST(Origins, ThatWereMadeToPointHereAreForeign) {
  const Credentials rebound{.origin = "http://evil.example:8080", .host = "evil.example:8080"};
  EXPECT_FALSE(origin_allowed({.loopback = true}, rebound));
  EXPECT_TRUE(origin_allowed({.loopback = false}, rebound)) << "a server with a name of its own";
  const Credentials disguised{.origin = "http://127.evil.example:8080", .host = "127.evil.example:8080"};
  EXPECT_FALSE(origin_allowed({.loopback = true}, disguised));
  EXPECT_TRUE(
      origin_allowed({.loopback = true}, {.origin = "http://127.0.0.1:8080", .host = "127.0.0.1:8080"}));
  EXPECT_TRUE(origin_allowed({.loopback = true}, {.host = "lanes.example"}))
      << "nobody says that a browser asks; it may be a reverse proxy, for whoever it likes";
}

TEST(Headers, OfAPageAreThoseThatItsBrowserAsksFor) {
  const std::string stainless = "authorization,content-type,x-stainless-arch, X-Stainless-OS";
  EXPECT_EQ(allowed_headers(stainless), stainless);
  EXPECT_EQ(allowed_headers(""), "");
  for (const char* broken : {",", "a,", "a,,b", "a b", "a:b", "a\r\nSet-Cookie: x", "a\"b", "caf\xc3\xa9"})
    EXPECT_EQ(allowed_headers(broken), "") << broken;
  EXPECT_EQ(allowed_headers(std::string(1024, 'x')).size(), 1024U);
  EXPECT_EQ(allowed_headers(std::string(1025, 'x')), "") << "a list without end";
}

}  // namespace
}  // namespace lanerope::server
