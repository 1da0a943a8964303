// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace lanerope::hub {

// What the hub knows its users by.
struct Token {
  std::string value = {};  // empty: asked without one
  std::string from = {};   // "--hf-token", "HF_TOKEN", a file: for messages
};

// Where models are asked for and kept.
struct Settings {
  std::string endpoint = {};                // "https://...", without a slash at the end
  std::filesystem::path cache = {};         // of repositories: models--user--repo/{blobs,refs,snapshots}
  std::filesystem::path url_cache = {};     // of files that were fetched by their URL
  std::filesystem::path digests = {};       // file in which digests of files are remembered
  std::filesystem::path certificates = {};  // PEM file with whom to trust; empty: the system's
  Token token = {};
  bool offline = false;  // nothing is asked for
};

// The value of an environment variable, null where it is not set.
using Environment = std::function<const char*(const char*)>;

// As llama.cpp and the hub's own library read them; docs/models.md lists the variables. Throws InvalidRequest
// for an endpoint that is no URL or where no directory for models can be told.
Settings settings_from(const Environment& environment);
Settings settings_from_environment();

// Throws InvalidRequest for a token that a header cannot hold.
void check_token(const Token& token);

}  // namespace lanerope::hub
