// SPDX-License-Identifier: Apache-2.0
#include "hub/settings.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <initializer_list>
#include <string_view>

#include "lanerope/errors.h"

namespace lanerope::hub {

namespace {

namespace fs = std::filesystem;

constexpr auto default_endpoint = "https://huggingface.co";

// Variables that are set to nothing count as not set.
class Variables {
 public:
  explicit Variables(const Environment& environment) : environment_(environment) {}

  std::string text(const char* name) const {
    const char* value = environment_(name);
    return value == nullptr ? std::string() : std::string(value);
  }

  fs::path path(const char* name) const {
    const std::string value = text(name);
    if (value != "~" && !value.starts_with("~/")) return value;
    return home() / fs::path(value.substr(std::min<size_t>(2, value.size())));
  }

  bool is_on(const char* name) const {
    std::string value = text(name);
    std::ranges::transform(value, value.begin(), [](unsigned char c) { return std::tolower(c); });
    return value == "1" || value == "on" || value == "yes" || value == "true" || value == "enabled";
  }

  // Of everything that programs may fetch again.
  fs::path cache_home() const {
    const fs::path given = path("XDG_CACHE_HOME");
    return given.empty() ? home() / ".cache" : given;
  }

  // Of the hub's own library: token, and below it the cache.
  fs::path hub_home() const {
    const fs::path given = path("HF_HOME");
    return given.empty() ? cache_home() / "huggingface" : given;
  }

 private:
  fs::path home() const {
    const std::string home = text("HOME");
    if (home.empty())
      throw InvalidRequest("HOME is not set, so there is no place for models; set HF_HOME to a directory");
    return home;
  }

  const Environment& environment_;
};

fs::path first_path(const Variables& variables, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (fs::path path = variables.path(name); !path.empty()) return path;
  }
  return {};
}

std::string endpoint_of(const Variables& variables) {
  for (const char* name : {"MODEL_ENDPOINT", "HF_ENDPOINT"}) {
    std::string endpoint = variables.text(name);
    if (endpoint.empty()) continue;
    if (!endpoint.starts_with("https://") && !endpoint.starts_with("http://")) {
      throw InvalidRequest(std::string(name) + " is '" + endpoint + "', which is no URL; write https://...");
    }
    while (endpoint.ends_with('/')) endpoint.pop_back();
    return endpoint;
  }
  return default_endpoint;
}

Token token_in_file(const fs::path& file) {
  std::ifstream stream(file);
  std::string line;
  if (!stream || !std::getline(stream, line)) return {};
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
  return {.value = line, .from = file.string()};
}

Token token_of(const Variables& variables) {
  for (const char* name : {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"}) {
    if (std::string token = variables.text(name); !token.empty()) return {.value = token, .from = name};
  }
  if (variables.is_on("HF_HUB_DISABLE_IMPLICIT_TOKEN")) return {};
  const fs::path file = variables.path("HF_TOKEN_PATH");
  return token_in_file(file.empty() ? variables.hub_home() / "token" : file);
}

}  // namespace

Settings settings_from(const Environment& environment) {
  const Variables variables(environment);
  Settings settings{.endpoint = endpoint_of(variables),
                    .cache = first_path(variables, {"LLAMA_CACHE", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"}),
                    .url_cache = variables.path("LLAMA_CACHE"),
                    .digests = variables.cache_home() / "lanerope" / "digests",
                    .certificates = first_path(variables, {"CURL_CA_BUNDLE", "SSL_CERT_FILE"}),
                    .offline = variables.is_on("LLAMA_ARG_OFFLINE") || variables.is_on("HF_HUB_OFFLINE") ||
                               variables.is_on("TRANSFORMERS_OFFLINE")};
  if (settings.cache.empty()) settings.cache = variables.hub_home() / "hub";
  if (settings.url_cache.empty()) settings.url_cache = variables.cache_home() / "llama.cpp";
  settings.token = token_of(variables);
  check_token(settings.token);
  return settings;
}

Settings settings_from_environment() {
  return settings_from([](const char* name) -> const char* { return std::getenv(name); });
}

void check_token(const Token& token) {
  const bool fits = std::ranges::all_of(token.value, [](char c) { return c > 0x20 && c < 0x7f; });
  if (!fits)
    throw InvalidRequest("the token of " + token.from + " holds characters that no token has; copy it again");
}

}  // namespace lanerope::hub
