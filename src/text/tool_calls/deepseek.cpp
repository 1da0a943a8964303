// SPDX-License-Identifier: Apache-2.0
// Between marks of their own, N and the arguments: R1 and V3 write "function", a mark, N and a fenced block
// of JSON, V3.1 writes N, the mark and the JSON.
#include "text/tool_calls/call_styles.h"

namespace lanerope::text {

CallReading read_deepseek_call(const CallText& from, const SchemaTable& /*tools*/) {
  using State = CallReading::State;
  for (const std::string_view around : {"<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>"}) {
    const Behind mark = behind(around, from.text);
    if (mark.state == State::done) return {.state = State::done, .used = around.size()};
    if (mark.state == State::more) return {.state = from.over ? State::wrong : State::more};
  }
  constexpr std::string_view separator = "<｜tool▁sep｜>";
  constexpr std::string_view call_end = "<｜tool▁call▁end｜>";
  const Behind opened = behind("<｜tool▁call▁begin｜>", from.text);
  if (opened.state == State::wrong) return {};
  const size_t end = opened.rest.find(call_end);
  if (opened.state == State::more || (end == std::string_view::npos && !from.over))
    return {.state = from.over ? State::wrong : State::more};
  const std::string_view body = opened.rest.substr(0, end);
  const size_t brace = body.find('{');
  const size_t parted = body.find(separator);
  if (parted == std::string_view::npos || brace == std::string_view::npos || brace < parted) return {};
  const size_t json = json_end(body.substr(brace));
  if (json == std::string_view::npos) return {};
  // The name stands before the mark, or, where that says "function", behind it.
  std::string_view name = behind_space(body.substr(0, parted));
  if (name == "function") {
    name = body.substr(parted + separator.size());
    name = name.substr(0, name.find('\n'));
  }
  const size_t used = end == std::string_view::npos
                          ? from.text.size()
                          : from.text.size() - opened.rest.size() + end + call_end.size();
  return {.state = State::done,
          .used = used,
          .calls = {{.name = std::string(name), .arguments = std::string(body.substr(brace, json))}}};
}

}  // namespace lanerope::text
