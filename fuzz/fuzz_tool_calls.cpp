// SPDX-License-Identifier: Apache-2.0
// What a lane wrote, behind a byte that says in which style: however it is cut into pieces, the same calls
// and the same content come out, and no text is lost where there is no call.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "lanerope/tool_calls.h"

namespace {

using namespace lanerope;

std::string read(ToolStyle style, std::string_view text, size_t piece, bool& called) {
  ToolCallParser parser(style, {{"f", "{}"}});
  std::string told;
  std::string calls;
  const auto add = [&](const ToolCallParser::Parts& parts) {
    told += parts.content;
    for (const ToolCall& call : parts.calls) calls += "\n" + call.name + "\n" + call.arguments;
  };
  for (size_t at = 0; at < text.size(); at += piece) add(parser.push(text.substr(at, piece)));
  add(parser.finish());
  called = !calls.empty();
  return told + calls;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  if (size < 2) return 0;
  const auto styles = names<ToolStyle>();
  const ToolStyle style = styles[bytes[0] % styles.size()].value;
  const std::string_view text(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  bool called = false;
  const std::string whole = read(style, text, text.size(), called);
  if (style == ToolStyle::hermes && !called && whole != text) std::abort();
  for (const size_t piece : {size_t{1}, size_t{3}}) {
    if (read(style, text, piece, called) != whole) std::abort();
  }
  return 0;
}
