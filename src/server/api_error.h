// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <nlohmann/json.hpp>
#include <string>

#include "lanerope/errors.h"

namespace lanerope::server {

using Json = nlohmann::ordered_json;

// A refusal with its HTTP status. `param` names the field of the request that is to blame, where one is.
struct ApiError : Error {
  ApiError(int http_status, const std::string& message, std::string field = {})
      : Error(message), status(http_status), param(std::move(field)) {}
  int status;
  std::string param;
  int retry_after = 0;  // seconds, for Retry-After; 0: none
};

// What a client is told about any exception, and with which status: {"error": {"message", "type", "code",
// ...}}.
struct ErrorReply {
  int status = 500;
  int retry_after = 0;
  Json body = {};
};
ErrorReply describe_error(const std::exception& error);
ErrorReply describe_error(std::exception_ptr error);

// JSON as it goes out: on one line, whatever is no UTF-8 replaced.
std::string to_text(const Json& json);

}  // namespace lanerope::server
