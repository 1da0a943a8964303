// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

namespace lanerope::server {

// A file as src/server/embed.cmake builds it in; what it views lives as long as the program.
struct PageAsset {
  std::string_view path;  // as it is asked for: "/", "/assets/page.js", "/openapi.json"
  std::string_view type;
  std::string_view content;
};

// The files of web/ and the API's description.
std::vector<PageAsset> page_assets();

// The libraries that web/ shows Markdown, mathematics and code with; none in a build without them.
std::vector<PageAsset> page_library_assets();

}  // namespace lanerope::server
