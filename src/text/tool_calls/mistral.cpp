// SPDX-License-Identifier: Apache-2.0
// [TOOL_CALLS][{"name": N, "arguments": {...}, "id": I}], or [TOOL_CALLS]N[ARGS]{...} with [CALL_ID]I before
// [ARGS] or without.
#include "text/tool_calls/call_styles.h"

namespace lanerope::text {

CallReading read_mistral_call(const CallText& from, const SchemaTable& /*tools*/) {
  using State = CallReading::State;
  const CallReading more{.state = from.over ? State::wrong : State::more};
  const Behind opened = behind("[TOOL_CALLS]", from.text);
  if (opened.state != State::done) return {.state = opened.state};
  const std::string_view body = behind_space(opened.rest);
  if (body.empty()) return more;
  if (body.front() == '[' || body.front() == '{') {
    const size_t end = json_end(body);
    if (end == std::string_view::npos) return more;
    std::vector<ToolCall> calls = calls_of_json(body.substr(0, end));
    if (calls.empty()) return {};
    return {.state = State::done, .used = from.text.size() - body.size() + end, .calls = std::move(calls)};
  }
  constexpr std::string_view arguments_mark = "[ARGS]";
  constexpr std::string_view id_mark = "[CALL_ID]";
  const size_t brace = body.find('{');
  if (brace == std::string_view::npos) return more;
  std::string_view head = body.substr(0, brace);
  const size_t mark = head.find(arguments_mark);
  if (mark != std::string_view::npos) head = head.substr(0, mark);
  ToolCall call;
  if (const size_t id = head.find(id_mark); id != std::string_view::npos) {
    call.id = std::string(head.substr(id + id_mark.size()));
    head = head.substr(0, id);
  }
  call.name = std::string(head.substr(0, head.find_last_not_of(" \t\r\n") + 1));
  const size_t end = json_end(body.substr(brace));
  if (call.name.empty() || call.name.find_first_of(" \n") != std::string::npos) return {};
  if (end == std::string_view::npos) return more;
  call.arguments = std::string(body.substr(brace, end));
  return {
      .state = State::done, .used = from.text.size() - body.size() + brace + end, .calls = {std::move(call)}};
}

}  // namespace lanerope::text
