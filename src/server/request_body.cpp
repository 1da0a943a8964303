// SPDX-License-Identifier: Apache-2.0
#include "server/request_body.h"

#include "server/api_error.h"
#include "server/http_transport.h"

namespace lanerope::server {

namespace {

// cpp-httplib's own reading bounds what comes over the wire, not what that unpacks to, and lets forms have
// 8 KiB.
bool read_body(httplib::Request& request, httplib::Response& response, const httplib::ContentReader& reader,
               size_t most) {
  bool too_large = false;
  const bool whole = reader([&](const char* data, size_t size) {
    too_large = request.body.size() + size > most;
    if (!too_large) request.body.append(data, size);
    return !too_large;
  });
  if (whole) return true;
  request.body.clear();
  if (too_large) response.status = 413;
  if (response.status < 400) response.status = 400;
  close_after_reply(response);  // the rest of it may still be on its way
  return false;
}

}  // namespace

void add_post(httplib::Server& http, const std::string& path, size_t most, httplib::Server::Handler handle) {
  http.Post(path,
            [most, handle = std::move(handle)](const httplib::Request& request, httplib::Response& response,
                                               const httplib::ContentReader& reader) {
              // The server's own request, which it hands out as constant to handlers that are not to change
              // it; the body that it would have filled in is filled in here.
              auto& own = const_cast<httplib::Request&>(request);
              if (read_body(own, response, reader, most)) handle(request, response);
            });
}

}  // namespace lanerope::server
