// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/tools/calculator.h"
#include "lanerope/errors.h"
#include "lanerope/tool.h"

namespace lanerope {

namespace {

std::string calculator(const std::string& arguments, const std::stop_token& /*stop*/) {
  const nlohmann::json json = nlohmann::json::parse(arguments, nullptr, false);
  const auto expression = json.is_object() ? json.find("expression") : json.end();
  if (expression == json.end()) throw InvalidRequest("the argument expression is missing");
  // Models write a lone number as one.
  if (expression->is_number()) return engine::calculate(expression->dump());
  if (!expression->is_string()) throw InvalidRequest("the argument expression must be a text");
  return engine::calculate(expression->get<std::string>());
}

struct Row {
  ToolInfo info;
  std::string_view description;
  std::string_view parameters;
  std::string (*run)(const std::string&, const std::stop_token&);
};
constexpr Row table[] = {
    {.info = {.name = "calculator", .help = "Computes an expression in + - * / ^ % and parentheses, exactly"},
     .description = "Computes an arithmetic expression exactly.",
     .parameters =
         R"({"type":"object","properties":{"expression":{"type":"string","description":"An expression in numbers, + - * / ^ % and parentheses, such as (48+24)/3."}},"required":["expression"]})",
     .run = calculator},
};

}  // namespace

std::span<const ToolInfo> builtin_tools() {
  static const auto infos = [] {
    std::vector<ToolInfo> list;
    for (const Row& row : table) list.push_back(row.info);
    return list;
  }();
  return infos;
}

Tool builtin_tool(std::string_view name) {
  std::string names;
  for (const Row& row : table) {
    if (row.info.name == name)
      return {.name = std::string(name),
              .description = std::string(row.description),
              .parameters = std::string(row.parameters),
              .run = row.run,
              .instant = true};
    names += (names.empty() ? "" : ", ") + std::string(row.info.name);
  }
  throw InvalidRequest("there is no tool \"" + std::string(name) + "\"; there is " + names +
                       ", notes, and NAME=CMD for a program of your own");
}

void add_tool(LaneTools& tools, std::string_view text) {
  const size_t sign = text.find('=');
  if (text == "notes") {
    tools.notes = true;
  } else if (sign == std::string_view::npos) {
    tools.tools.push_back(builtin_tool(text));
  } else {
    tools.tools.push_back(command_tool(
        {.name = std::string(text.substr(0, sign)), .command = std::string(text.substr(sign + 1))}));
  }
}

}  // namespace lanerope
