// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

namespace lanerope::server {

// A file of web/ or the API's description, as src/server/embed.cmake builds it in.
struct PageAsset {
  std::string_view path;  // as it is asked for: "/", "/assets/page.js", "/openapi.json"
  std::string_view type;
  std::string_view content;
};
std::span<const PageAsset> page_assets();

}  // namespace lanerope::server
