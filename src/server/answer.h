// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "server/completion_reply.h"
#include "server/server_context.h"

namespace lanerope::server {

// Reads a request for text: what presets say is filled in, the adapter that its model names is switched on,
// and fields that nobody knows are named in the response's headers and counted. The client is who sent the
// key, where the server wants one, or the address. Throws ApiError.
struct Exchange {
  const httplib::Request& http;
  httplib::Response& response;
};
ApiRequest read_api_request(ServerContext& context, ApiEndpoint endpoint, const Json& body,
                            Exchange exchange);

// Runs the request's groups and answers as it wants, streaming or at once. Throws what refuses it.
struct Asked {
  const httplib::Request& http;
  std::shared_ptr<const ApiRequest> api;
};
using MakeWriter = std::function<std::shared_ptr<ReplyWriter>(ReplyContext)>;
void answer(ServerContext& context, const Asked& asked, httplib::Response& response,
            const MakeWriter& make_writer);

}  // namespace lanerope::server
