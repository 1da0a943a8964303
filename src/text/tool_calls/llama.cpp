// SPDX-License-Identifier: Apache-2.0
// The whole answer is {"name": N, "parameters": {...}}, maybe several with semicolons between them, maybe
// behind
// <|python_tag|>. Since any answer may be JSON, only calls of the request's tools are calls.
#include "text/tool_calls/call_styles.h"

namespace lanerope::text {

CallReading read_llama_call(const CallText& from, const SchemaTable& tools) {
  using State = CallReading::State;
  std::string_view text = from.text;
  const Behind tagged = behind("<|python_tag|>", text);
  if (tagged.state == State::done) text = behind_space(tagged.rest);
  if (tagged.state == State::more || text.empty()) return {.state = from.over ? State::wrong : State::more};
  if (text.front() == ';') text = behind_space(text.substr(1));
  if (text.empty()) return {.state = from.over ? State::wrong : State::more};
  if (text.front() != '{') return {};
  const size_t end = json_end(text);
  if (end == std::string_view::npos) return {.state = from.over ? State::wrong : State::more};
  std::vector<ToolCall> calls = calls_of_json(text.substr(0, end));
  if (calls.empty() || !tools.contains(calls.front().name)) return {};
  const std::string_view rest = text.substr(end);
  return {.state = State::done, .used = from.text.size() - rest.size(), .calls = std::move(calls)};
}

}  // namespace lanerope::text
