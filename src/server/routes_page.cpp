// SPDX-License-Identifier: Apache-2.0
#include "server/page_assets.h"
#include "server/server_context.h"

namespace lanerope::server {

void add_page_routes(httplib::Server& http) {
  for (const PageAsset& asset : page_assets()) {
    http.Get(std::string(asset.path), [&asset](const httplib::Request&, httplib::Response& response) {
      response.set_header("Cache-Control", "no-cache");
      response.set_header("Content-Security-Policy",
                          "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
                          "frame-ancestors 'none'");
      response.set_content(asset.content.data(), asset.content.size(), std::string(asset.type));
    });
  }
}

}  // namespace lanerope::server
