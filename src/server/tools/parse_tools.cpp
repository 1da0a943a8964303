// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cctype>

#include "server/tools/tool_request.h"

namespace lanerope::server {

namespace {

constexpr size_t most_tools = 256;
constexpr size_t longest_name = 128;

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= longest_name && std::ranges::all_of(name, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
  });
}

Tool parse_tool(const JsonFields& tool) {
  if (tool.text("type").value_or("function") != "function")
    tool.refuse("type", "must be function: lanerope offers no tools of its own");
  const auto function = tool.object("function");
  if (!function) tool.refuse("function", "is missing");
  Tool parsed{.name = function->text("name").value_or(""),
              .strict = function->flag("strict").value_or(false)};
  if (!is_name(parsed.name))
    function->refuse("name", "must be 1 to 128 letters, digits, dots, dashes and underscores");
  const auto parameters = function->object("parameters");
  parsed.parameters =
      parameters ? parameters->object() : Json{{"type", "object"}, {"properties", Json::object()}};
  return parsed;
}

std::string named(const JsonFields& choice) {
  const auto function = choice.object("function");
  const auto name = function ? function->text("name") : choice.text("name");
  if (!name) choice.refuse("function", "must name a function");
  return *name;
}

void read_choice(const JsonFields& fields, ToolRequest& request) {
  const Json* choice = fields.find("tool_choice");
  request.choice = request.tools.empty() ? ToolChoice::none : ToolChoice::automatic;
  if (choice == nullptr) return;
  if (choice->is_string()) {
    const auto text = choice->get<std::string>();
    if (text == "none") {
      request.choice = ToolChoice::none;
    } else if (text == "required" || text == "any") {
      request.choice = ToolChoice::required;
    } else if (text != "auto") {
      fields.refuse("tool_choice", "must be none, auto, required or an object that names a function");
    }
  } else {
    const auto object = fields.object("tool_choice");
    const std::string type = object->text("type").value_or("function");
    if (type == "function") {
      request.choice = ToolChoice::required;
      request.allowed = {named(*object)};
    } else if (type == "allowed_tools") {
      const auto inner = object->object("allowed_tools");
      const JsonFields& of = inner ? *inner : *object;
      if (of.text("mode").value_or("auto") == "required") request.choice = ToolChoice::required;
      const Json* tools = of.find("tools");
      if (tools == nullptr || !tools->is_array() || tools->empty())
        of.refuse("tools", "must be an array of tools");
      for (const Json& tool : *tools) request.allowed.push_back(named(JsonFields(tool, of.path_of("tools"))));
    } else {
      object->refuse("type", "must be function or allowed_tools");
    }
  }
  if (request.choice == ToolChoice::required && request.tools.empty())
    fields.refuse("tool_choice", "asks for a call, and tools is missing");
  for (const std::string& name : request.allowed) {
    if (std::ranges::find(request.tools, name, &Tool::name) == request.tools.end())
      fields.refuse("tool_choice", "names \"" + name + "\", which is none of the tools");
  }
}

}  // namespace

ToolTable ToolRequest::table() const {
  ToolTable table;
  for (const Tool& tool : tools) table.emplace(tool.name, to_text(tool.parameters));
  return table;
}

ToolRequest parse_tools(const JsonFields& fields) {
  ToolRequest request;
  if (const Json* tools = fields.find("tools")) {
    if (!tools->is_array()) fields.refuse("tools", "must be an array");
    if (tools->size() > most_tools) fields.refuse("tools", "holds more than " + std::to_string(most_tools));
    for (size_t i = 0; i < tools->size(); ++i) {
      request.tools.push_back(parse_tool(JsonFields((*tools)[i], "tools[" + std::to_string(i) + "]")));
    }
    if (!tools->empty()) request.text = to_text(*tools);
  }
  request.parallel = fields.flag("parallel_tool_calls").value_or(true);
  read_choice(fields, request);
  return request;
}

}  // namespace lanerope::server
