// SPDX-License-Identifier: Apache-2.0
#include "server/request_log.h"

#include <httplib.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "lanerope/service.h"

namespace lanerope {

template <>
std::span<const Named<server::LogFormat>> names() {
  static constexpr Named<server::LogFormat> all[] = {{server::LogFormat::text, "text"},
                                                     {server::LogFormat::json, "json"}};
  return all;
}

}  // namespace lanerope

namespace lanerope::server {

namespace {

constexpr auto id_header = "X-Request-Id";
constexpr size_t longest_id = 128;

// A thread answers one request from its beginning to its end.
thread_local std::chrono::steady_clock::time_point begun;

bool is_name(std::string_view id) {
  return !id.empty() && id.size() <= longest_id &&
         std::ranges::all_of(id, [](char c) { return c > ' ' && c < 0x7f; });
}

// "2026-11-27T12:00:00.123Z"
std::string time_text() {
  const auto now = std::chrono::system_clock::now();
  const auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  const std::time_t seconds = milliseconds / 1000;
  std::tm parts = {};
  gmtime_r(&seconds, &parts);
  char text[40];
  const size_t size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text + size, sizeof text - size, ".%03dZ", static_cast<int>(milliseconds % 1000));
  return text;
}

// On one line and without what a terminal would obey, for whoever reads the log: \x1b for an escape. `plain`
// is the least byte that stays as it is.
std::string printable(std::string_view text, unsigned char plain) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string line;
  const auto escape = [&](unsigned char byte) { line += {'\\', 'x', digits[byte >> 4], digits[byte & 0xF]}; };
  size_t to_come = 0;  // bytes of a character
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : 0);
    // Terminals obey U+0080 to U+009F too, as characters and as bytes that are part of none.
    const bool begins_control = byte == 0xC2 && next >= 0x80 && next < 0xA0;
    const bool control = byte >= 0x80 && byte < 0xA0 && to_come == 0;
    if (begins_control || control || byte < plain || byte == 0x7F) {
      escape(byte);
    } else {
      line += text[i];
    }
    if (byte >= 0x80 && byte < 0xC0) {
      to_come -= std::min<size_t>(to_come, 1);
    } else {
      to_come = begins_control || byte < 0xC2 ? 0 : byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
    }
  }
  return line;
}

std::string json_line(const LogOptions& options, const httplib::Request& request,
                      const httplib::Response& response) {
  const double milliseconds =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun).count();
  nlohmann::ordered_json line = {{"time", time_text()},
                                 {"level", response.status >= 500 ? "error" : "info"},
                                 {"request_id", request_id_of(response)},
                                 {"client", request.remote_addr},
                                 {"method", request.method},
                                 {"path", request.path},
                                 {"status", response.status},
                                 {"milliseconds", std::round(milliseconds * 10) / 10}};
  if (options.prompts && !request.body.empty()) line["body"] = request.body;
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

void begin_request(const httplib::Request& request, httplib::Response& response) {
  begun = std::chrono::steady_clock::now();
  const std::string given = request.get_header_value(id_header);
  response.set_header(id_header, is_name(given) ? given : new_public_id("req_"));
}

std::string request_id_of(const httplib::Response& response) {
  return response.get_header_value(id_header);
}

void log_request(const LogOptions& options, const httplib::Request& request,
                 const httplib::Response& response) {
  if (!options.write) return;
  if (options.format == LogFormat::json) return options.write(json_line(options, request, response));
  // The path was decoded; a space in it would begin the next field.
  std::string line = request.remote_addr + " " + printable(request.method, '!') + " " +
                     printable(request.path, '!') + " " + std::to_string(response.status);
  if (options.prompts && !request.body.empty()) line += " " + printable(request.body, ' ');
  options.write(line);
}

}  // namespace lanerope::server
