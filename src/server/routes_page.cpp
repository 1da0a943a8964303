// SPDX-License-Identifier: Apache-2.0
#include "server/page_assets.h"
#include "server/server_context.h"

namespace lanerope::server {

namespace {

// What the page may do, whatever a model writes into it: run the scripts, show the styles and speak with the
// API of this server, and nothing else. Text becomes HTML only through the library that takes out what could
// act.
constexpr const char* page_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types dompurify";

// Browsers ask each time whether a file has changed, and get it only where it has.
void serve(httplib::Server& http, const PageAsset& asset) {
  const std::string tag = '"' + std::to_string(std::hash<std::string_view>()(asset.content)) + '"';
  http.Get(std::string(asset.path),
           [asset, tag](const httplib::Request& request, httplib::Response& response) {
             response.set_header("Cache-Control", "no-cache");
             response.set_header("ETag", tag);
             if (request.get_header_value("If-None-Match") == tag) {
               response.status = 304;
               return;
             }
             response.set_header("Content-Security-Policy", page_policy);
             response.set_header("Referrer-Policy", "no-referrer");
             response.set_content(asset.content.data(), asset.content.size(), std::string(asset.type));
           });
}

}  // namespace

void add_page_routes(httplib::Server& http) {
  for (const PageAsset& asset : page_assets()) serve(http, asset);
  for (const PageAsset& asset : page_library_assets()) serve(http, asset);
}

}  // namespace lanerope::server
