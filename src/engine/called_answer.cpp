// SPDX-License-Identifier: Apache-2.0
#include "engine/called_answer.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "lanerope/tool_calls.h"
#include "text/bounded_json.h"

namespace lanerope::engine {

namespace {

using Json = nlohmann::json;  // sorts members by name

ToolTable table_of(const Prompt& prompt) {
  ToolTable table;
  const Json tools = Json::parse(prompt.tools, nullptr, /*allow_exceptions=*/false);
  if (!tools.is_array()) return table;
  for (const Json& tool : tools) {
    const auto function = tool.find("function");
    if (function == tool.end() || !function->contains("name") || !(*function)["name"].is_string()) continue;
    table.emplace((*function)["name"].get<std::string>(),
                  function->value("parameters", Json::object()).dump());
  }
  return table;
}

std::string spelled(const ToolCall& call) {
  const auto arguments = text::parse_bounded<Json>(call.arguments);
  const std::string text = arguments.is_discarded()
                               ? call.arguments
                               : arguments.dump(-1, ' ', false, Json::error_handler_t::replace);
  return call.name + "(" + text + ")";
}

}  // namespace

std::optional<answers::Answer> called_answer(const Prompt& prompt, ToolStyle style, std::string_view text) {
  if (prompt.tools.empty() || style == ToolStyle::none) return std::nullopt;
  ToolCallParser parser(style, table_of(prompt));
  std::vector<ToolCall> calls = parser.push(text).calls;
  for (ToolCall& call : parser.finish().calls) calls.push_back(std::move(call));
  if (calls.empty()) return std::nullopt;
  std::string answer;
  for (const ToolCall& call : calls) answer += (answer.empty() ? "" : "; ") + spelled(call);
  return answers::Answer{.text = std::move(answer), .from = AnswerFrom::call};
}

}  // namespace lanerope::engine
