// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "lanerope/names.h"

namespace httplib {
struct Request;
struct Response;
}  // namespace httplib

namespace lanerope::server {

enum class LogFormat {
  text,  // "127.0.0.1 POST /v1/completions 200"
  json,  // an object a line, for programs that collect logs
};

struct LogOptions {
  std::function<void(std::string_view)> write =
      {};  // takes a line; empty: nothing is logged. Any thread calls it
  LogFormat format = LogFormat::text;
  bool prompts = false;  // the content of requests too
};

// Gives the reply the header X-Request-Id: what the client calls its request, if that is a name of printable
// characters and at most 128 long, else a name of our own. Remembers when the request began, for the log.
void begin_request(const httplib::Request& request, httplib::Response& response);

// What begin_request() called it.
std::string request_id_of(const httplib::Response& response);

// A line about a request that has been answered, on the thread that begin_request() was called on.
void log_request(const LogOptions& options, const httplib::Request& request,
                 const httplib::Response& response);

}  // namespace lanerope::server

namespace lanerope {
template <>
std::span<const Named<server::LogFormat>> names();
}  // namespace lanerope
