// SPDX-License-Identifier: Apache-2.0
#include "hub/wanted.h"

#include <algorithm>
#include <cctype>

#include "lanerope/errors.h"

namespace lanerope::hub {

namespace {

constexpr std::string_view scheme = "hf:";
constexpr std::string_view folder_prefix = "models--";

// Letters, digits and '_'; '-' and '.' only between them, and one '/'. So "--" cannot occur in a name, and a
// name is no path out of the cache.
bool is_repo(std::string_view repo) {
  if (repo.empty() || repo.size() > 256) return false;
  int slashes = 0;
  bool between = false;
  for (const char c : repo) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_') {
      between = true;
    } else if (between && (c == '/' || c == '.' || c == '-')) {
      slashes += c == '/' ? 1 : 0;
      between = false;
    } else {
      return false;
    }
  }
  return between && slashes == 1;
}

}  // namespace

bool names_hub(std::string_view name) {
  return name.starts_with(scheme);
}

Wanted parse_wanted(std::string_view text) {
  const std::string all(text);
  if (names_hub(text)) text.remove_prefix(scheme.size());
  const size_t colon = text.find(':');
  Wanted wanted{.repo = std::string(text.substr(0, colon))};
  if (!is_repo(wanted.repo))
    throw InvalidRequest("'" + all + "' names no repository; write user/repo or user/repo:quant");
  if (colon == std::string_view::npos) return wanted;
  const std::string what(text.substr(colon + 1));
  if (what.empty() || what.find(':') != std::string::npos)
    throw InvalidRequest("'" + all + "' names no quantisation; write it as in user/repo:Q4_K_M");
  (what.ends_with(".gguf") ? wanted.file : wanted.quant) = what;
  return wanted;
}

std::string text_of(const Wanted& wanted) {
  const std::string& what = wanted.file.empty() ? wanted.quant : wanted.file;
  return what.empty() ? wanted.repo : wanted.repo + ":" + what;
}

std::string folder_of_repo(std::string_view repo) {
  std::string folder(folder_prefix);
  for (const char c : repo) folder += c == '/' ? std::string("--") : std::string(1, c);
  return folder;
}

std::optional<std::string> repo_of_folder(std::string_view folder) {
  if (!folder.starts_with(folder_prefix)) return std::nullopt;
  std::string repo(folder.substr(folder_prefix.size()));
  if (const size_t at = repo.find("--"); at != std::string::npos) repo.replace(at, 2, "/");
  if (!is_repo(repo)) return std::nullopt;
  return repo;
}

}  // namespace lanerope::hub
