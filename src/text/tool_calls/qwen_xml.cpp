// SPDX-License-Identifier: Apache-2.0
// <tool_call>
// <function=N>
// <parameter=K>
// V
// </parameter>
// </function>
// </tool_call>
// A string stands there as it is, other values as JSON: the tool's schema tells which.
#include "text/bounded_json.h"
#include "text/tool_calls/call_styles.h"

namespace lanerope::text {

namespace {

bool is_string(const Json& schema, const std::string& key) {
  const auto properties = schema.find("properties");
  if (properties == schema.end() || !properties->is_object() || !properties->contains(key)) return false;
  const Json& property = (*properties)[key];
  return property.is_object() && property.contains("type") && property["type"] == "string";
}

std::string_view without_line_breaks(std::string_view value) {
  if (value.starts_with('\n')) value.remove_prefix(1);
  if (value.ends_with('\n')) value.remove_suffix(1);
  return value;
}

Json value_of(std::string_view text, bool string) {
  const std::string value(without_line_breaks(text));
  if (string) return value;
  auto json = parse_bounded<Json>(value);
  return json.is_discarded() ? Json(value) : json;
}

}  // namespace

CallReading read_qwen_xml_call(const CallText& from, const SchemaTable& tools) {
  using State = CallReading::State;
  constexpr std::string_view call_end = "</tool_call>";
  const Behind opened = behind("<tool_call>", from.text);
  if (opened.state != State::done) return {.state = opened.state};
  const size_t close = opened.rest.find(call_end);
  // What stands behind the call is none of its business, however much of it is there already.
  const Behind function = behind("<function=", behind_space(opened.rest.substr(0, close)));
  const bool closed = close != std::string_view::npos;
  if (function.state == State::wrong || (closed && function.state == State::more))
    return read_hermes_call(from, tools);
  if (!closed && !from.over) return {.state = State::more};
  if (function.state == State::more) return {};
  std::string_view body = function.rest.substr(0, function.rest.find("</function>"));
  const size_t name_end = body.find('>');
  if (name_end == std::string_view::npos) return {};
  ToolCall call{.name = std::string(body.substr(0, name_end))};
  const auto tool = tools.find(call.name);
  Json arguments = Json::object();
  constexpr std::string_view begin = "<parameter=";
  constexpr std::string_view end = "</parameter>";
  for (size_t at = body.find(begin); at != std::string_view::npos; at = body.find(begin)) {
    body.remove_prefix(at + begin.size());
    const size_t key_end = body.find('>');
    if (key_end == std::string_view::npos) return {};
    const std::string key(body.substr(0, key_end));
    body.remove_prefix(key_end + 1);
    const size_t value_end = std::min(body.find(end), body.find(begin));
    arguments[key] = value_of(body.substr(0, value_end), tool != tools.end() && is_string(tool->second, key));
    body.remove_prefix(std::min(value_end, body.size()));
  }
  call.arguments = to_text(arguments);
  const size_t used = close == std::string_view::npos
                          ? from.text.size()
                          : from.text.size() - opened.rest.size() + close + call_end.size();
  return {.state = State::done, .used = used, .calls = {std::move(call)}};
}

}  // namespace lanerope::text
