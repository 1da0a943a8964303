// SPDX-License-Identifier: Apache-2.0
// <tool_call>
// {"name": N, "arguments": {...}}
// </tool_call>
#include "text/tool_calls/call_styles.h"

namespace lanerope::text {

CallReading read_hermes_call(const CallText& from, const SchemaTable& /*tools*/) {
  using State = CallReading::State;
  const Behind opened = behind("<tool_call>", from.text);
  if (opened.state != State::done) return {.state = opened.state};
  const std::string_view body = behind_space(opened.rest);
  if (body.empty()) return {.state = from.over ? State::wrong : State::more};
  if (body.front() != '{') return {};
  const size_t end = json_end(body);
  if (end == std::string_view::npos) return {.state = from.over ? State::wrong : State::more};
  std::vector<ToolCall> calls = calls_of_json(body.substr(0, end));
  if (calls.empty()) return {};
  const std::string_view tail = behind_space(body.substr(end));
  const Behind closed = behind("</tool_call>", tail);
  if (closed.state == State::more && !from.over) return {.state = State::more};
  // Small models forget the closing mark.
  const std::string_view rest = closed.state == State::done ? closed.rest : tail;
  return {.state = State::done, .used = from.text.size() - rest.size(), .calls = std::move(calls)};
}

}  // namespace lanerope::text
