// SPDX-License-Identifier: Apache-2.0
#include "text/tool_calls/call_styles.h"

#include <algorithm>

#include "text/bounded_json.h"

namespace lanerope::text {

namespace {

constexpr std::string_view white_space = " \t\r\n";

// {"name", "arguments"}; Llama says "parameters", and some models wrap it in {"function": ...}.
std::vector<ToolCall> call_of(const Json& json) {
  if (!json.is_object()) return {};
  if (json.contains("function") && json["function"].is_object()) return call_of(json["function"]);
  const auto name = json.find("name");
  if (name == json.end() || !name->is_string()) return {};
  ToolCall call{.name = name->get<std::string>()};
  for (const char* key : {"arguments", "parameters"}) {
    const auto arguments = json.find(key);
    if (arguments == json.end()) continue;
    call.arguments = arguments->is_string() ? arguments->get<std::string>() : to_text(*arguments);
    break;
  }
  const auto id = json.find("id");
  if (id != json.end() && id->is_string()) call.id = id->get<std::string>();
  return {std::move(call)};
}

}  // namespace

std::string to_text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

size_t json_end(std::string_view text) {
  size_t depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
      continue;
    }
    if (c == '"') in_string = true;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) return i + 1;
  }
  return std::string_view::npos;
}

std::string_view behind_space(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(white_space), text.size()));
}

Behind behind(std::string_view mark, std::string_view text) {
  if (text.starts_with(mark)) return {.state = CallReading::State::done, .rest = text.substr(mark.size())};
  return {.state = mark.starts_with(text) ? CallReading::State::more : CallReading::State::wrong};
}

std::vector<ToolCall> calls_of_json(std::string_view text) {
  const auto json = parse_bounded<Json>(text);
  std::vector<ToolCall> calls;
  if (!json.is_array()) return call_of(json);
  for (const Json& one : json) {
    std::vector<ToolCall> call = call_of(one);
    if (call.empty()) return {};
    calls.push_back(std::move(call.front()));
  }
  return calls;
}

}  // namespace lanerope::text
