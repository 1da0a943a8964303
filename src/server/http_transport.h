// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <httplib.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

namespace lanerope::server {

struct TransportOptions {
  std::string certificate = {};  // PEM files; both empty: plain HTTP
  std::string key = {};
  size_t threads = 160;       // connections that are served at once
  size_t most_pending = 256;  // connections that wait for a thread; more are closed
  size_t most_body = size_t{8} << 20;
  std::chrono::milliseconds request_time{20000};  // for the whole of a request to arrive
  std::chrono::milliseconds idle_time{10000};     // between two requests of one connection
  std::chrono::milliseconds write_time{10000};    // for a client to take what it is sent
};

// cpp-httplib's server with limits on time and number. Throws SystemError where TLS cannot be set up.
std::unique_ptr<httplib::Server> make_http_server(const TransportOptions& options);

// The connection of the request that this thread is handling ends with its reply. For requests that are
// refused before their body was read: what is left of it would be taken for the next request.
void close_after_reply(httplib::Response& response);

// Binds and lets enough connections wait. Port 0: any free one. Returns the port. Throws SystemError.
int bind_http_server(httplib::Server& server, const std::string& host, int port);

}  // namespace lanerope::server
