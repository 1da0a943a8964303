// SPDX-License-Identifier: Apache-2.0
// gpt-oss writes messages on channels: <|channel|>commentary to=functions.N <|constrain|>json<|message|>{...}
// is a call, also with the recipient before the channel; <|channel|>final<|message|> stands before what it
// says. What it thinks was taken off before.
#include "text/tool_calls/call_styles.h"

namespace lanerope::text {

CallReading read_harmony_part(const CallText& from, const SchemaTable& /*tools*/) {
  using State = CallReading::State;
  const CallReading more{.state = from.over ? State::wrong : State::more};
  for (const std::string_view around : {"<|end|>", "<|return|>", "<|call|>"}) {
    if (from.text.starts_with(around)) return {.state = State::done, .used = around.size()};
  }
  constexpr std::string_view message = "<|message|>";
  constexpr std::string_view recipient = "to=functions.";
  const size_t head_end = from.text.find(message);
  if (head_end == std::string_view::npos) return more;
  const std::string_view head = from.text.substr(0, head_end);
  const size_t body_at = head_end + message.size();
  const size_t to = head.find(recipient);
  if (to == std::string_view::npos) return {.state = State::done, .used = body_at};
  std::string_view name = head.substr(to + recipient.size());
  name = name.substr(0, name.find_first_of(" <"));
  const std::string_view body = from.text.substr(body_at);
  const std::string_view json = behind_space(body);
  if (json.empty()) return more;
  if (json.front() != '{') return {};
  const size_t end = json_end(json);
  if (end == std::string_view::npos) return more;
  return {.state = State::done,
          .used = from.text.size() - json.size() + end,
          .calls = {{.name = std::string(name), .arguments = std::string(json.substr(0, end))}}};
}

}  // namespace lanerope::text
