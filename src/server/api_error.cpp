// SPDX-License-Identifier: Apache-2.0
#include "server/api_error.h"

#include <new>

namespace lanerope::server {

namespace {

const char* type_of(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 429:
      return "rate_limit_error";
    case 500:
      return "server_error";
    case 501:
      return "not_supported_error";
    case 503:
      return "unavailable_error";
    default:
      return "invalid_request_error";
  }
}

ErrorReply reply(int status, const std::string& message, const std::string& param = {}) {
  Json error = {{"message", message}, {"type", type_of(status)}, {"code", status}, {"param", nullptr}};
  if (!param.empty()) error["param"] = param;
  return {.status = status, .body = {{"error", std::move(error)}}};
}

}  // namespace

ErrorReply describe_error(const std::exception& error) {
  if (const auto* api = dynamic_cast<const ApiError*>(&error)) {
    ErrorReply result = reply(api->status, api->what(), api->param);
    result.retry_after = api->retry_after;
    return result;
  }
  if (const auto* busy = dynamic_cast<const Busy*>(&error)) {
    ErrorReply result = reply(429, busy->what());
    result.retry_after = busy->retry_after;
    return result;
  }
  if (dynamic_cast<const Draining*>(&error) != nullptr) return reply(503, error.what());
  if (dynamic_cast<const NoSuchGroup*>(&error) != nullptr) return reply(404, error.what());
  const bool callers_fault = dynamic_cast<const InvalidRequest*>(&error) != nullptr ||
                             dynamic_cast<const DoesNotFit*>(&error) != nullptr;
  if (callers_fault) return reply(400, error.what());
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) {
    return reply(503,
                 "the server's memory does not suffice for this request; ask for less, or try again later");
  }
  return reply(500, error.what());
}

ErrorReply describe_error(std::exception_ptr error) {
  try {
    std::rethrow_exception(std::move(error));
  } catch (const std::exception& known) {
    return describe_error(known);
  } catch (...) {
    return reply(500, "the server failed in a way that it has no words for");
  }
}

std::string to_text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace lanerope::server
