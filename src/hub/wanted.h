// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lanerope::hub {

// What somebody asks the hub for: a repository, and in it a quantisation, a file, or what is there.
struct Wanted {
  std::string repo = {};   // "user/repo"
  std::string quant = {};  // "Q4_K_M", in any case; not together with a file
  std::string file = {};   // path in the repository
};

// Whether a name stands for something on the hub: "hf:user/repo".
bool names_hub(std::string_view name);

// Reads "user/repo", "user/repo:quant" or "user/repo:file.gguf", with or without "hf:" before it. Throws
// InvalidRequest.
Wanted parse_wanted(std::string_view text);

// "user/repo:quant".
std::string text_of(const Wanted& wanted);

// "models--user--repo", the folder of a repository in the cache, and back; nothing for other folders.
std::string folder_of_repo(std::string_view repo);
std::optional<std::string> repo_of_folder(std::string_view folder);

}  // namespace lanerope::hub
