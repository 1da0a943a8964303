// SPDX-License-Identifier: Apache-2.0
#include "cli/tool_flags.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/choice.h"
#include "cli/text_source.h"
#include "lanerope/errors.h"

namespace lanerope::cli {

namespace {

// {"description": "...", "parameters": {...}} of a file.
struct Described {
  std::string description = {};
  std::string parameters = {};
};

Described read_schema(const std::string& path) {
  const auto json = nlohmann::ordered_json::parse(read_text_file(path), nullptr, false);
  Described described;
  if (json.is_object()) {
    if (const auto text = json.find("description"); text != json.end() && text->is_string())
      described.description = text->get<std::string>();
    if (const auto schema = json.find("parameters"); schema != json.end() && schema->is_object())
      described.parameters = schema->dump();
  }
  if (described.description.empty() || described.parameters.empty())
    throw BadFile(path + R"( must be {"description": "...", "parameters": {...}}, the latter a JSON schema)");
  return described;
}

Tool& tool_named(LaneTools& tools, const std::string& name) {
  const auto found = std::ranges::find(tools.tools, name, &Tool::name);
  if (found == tools.tools.end())
    throw InvalidRequest("--tool-schema describes the tool " + name + ", and no --tool has that name");
  return *found;
}

void describe(LaneTools& tools, const std::string& text) {
  const size_t sign = text.find('=');
  if (sign == std::string::npos)
    throw InvalidRequest("--tool-schema '" + text + "' must have the form NAME=FILE");
  Tool& tool = tool_named(tools, text.substr(0, sign));
  const Described described = read_schema(text.substr(sign + 1));
  tool.description = described.description;
  tool.parameters = described.parameters;
}

// Kept, so that a conversation does not start the servers anew with each message.
const std::vector<Tool>& tools_of_servers(const std::string& file) {
  static std::map<std::string, std::vector<Tool>> started;
  const auto [found, is_new] = started.try_emplace(file);
  if (is_new) found->second = mcp_tools(file);
  return found->second;
}

bool is_program(const std::string& tool) {
  return tool.find('=') != std::string::npos;
}

// A program's tool with another bound of its memory.
void add(LaneTools& tools, const std::string& text, std::optional<int64_t> memory_mib) {
  const size_t sign = text.find('=');
  if (!is_program(text) || !memory_mib) return add_tool(tools, text);
  tools.tools.push_back(command_tool(
      {.name = text.substr(0, sign), .command = text.substr(sign + 1), .most_memory = *memory_mib << 20}));
}

}  // namespace

std::string tool_names() {
  std::string names;
  for (const ToolInfo& tool : builtin_tools()) names += std::string(tool.name) + "|";
  return names + "notes";
}

void add_tool_flags(CLI::App& app, ToolFlags& flags, const std::string& group) {
  app.add_option(
         "--tool", flags.tools,
         "What lanes call while they write: calculator, notes (<<48/2= goes on with 24>>), or NAME=CMD, a "
         "program that reads JSON arguments and writes the result; repeatable")
      ->type_name(tool_names())
      ->allow_extra_args(false)
      ->take_all()
      ->group(group);
  app.add_option(
         "--tool-schema", flags.schemas,
         "JSON file that describes the tool NAME of --tool to the model: description, parameters; repeatable")
      ->type_name("NAME=FILE")
      ->allow_extra_args(false)
      ->take_all()
      ->group(group);
  app.add_option("--mcp-config", flags.mcp_config,
                 "JSON file of MCP servers over stdio, whose tools lanes call")
      ->type_name("FILE")
      ->group(group);
  add_choice(app, "--tool-wait", flags.wait)
      ->description("From when on a lane waits for its result: its call, or its end (default: call)")
      ->group(group);
  app.add_option("--tool-calls", flags.most_calls, "Calls that a lane may make (default: 16)")
      ->type_name("N")
      ->check(CLI::PositiveNumber)
      ->group(group);
  app.add_option("--tool-timeout", flags.timeout, "Seconds that a call may take (default: 10)")
      ->type_name("S")
      ->check(CLI::PositiveNumber)
      ->group(group);
  app.add_option("--tool-bytes", flags.most_bytes, "Bytes of a result; what is longer is cut (default: 4096)")
      ->type_name("N")
      ->group(group);
  app.add_option("--tool-memory", flags.memory_mib, "MiB of memory that a program may have (default: 2048)")
      ->type_name("MIB")
      ->check(CLI::Range(1, 1 << 20))
      ->group(group);
}

std::optional<LaneTools> to_tools(const ToolFlags& flags) {
  LaneTools tools;
  for (const std::string& text : flags.tools) add(tools, text, flags.memory_mib);
  for (const std::string& text : flags.schemas) describe(tools, text);
  if (!flags.mcp_config.empty()) {
    const std::vector<Tool>& servers = tools_of_servers(flags.mcp_config);
    tools.tools.insert(tools.tools.end(), servers.begin(), servers.end());
  }
  const bool says_how =
      flags.wait || flags.most_calls || flags.timeout || flags.most_bytes || flags.memory_mib;
  if (!tools.on()) {
    if (says_how)
      throw InvalidRequest("the flags say how lanes use tools, and name none; add --tool or --mcp-config");
    return std::nullopt;
  }
  if (flags.memory_mib && std::ranges::none_of(flags.tools, is_program))
    throw InvalidRequest(
        "--tool-memory bounds a program of yours; add it with --tool NAME=CMD, or leave it out");
  tools.wait = flags.wait.value_or(tools.wait);
  tools.most_calls = flags.most_calls.value_or(tools.most_calls);
  tools.timeout = flags.timeout.value_or(tools.timeout);
  tools.most_bytes = flags.most_bytes.value_or(tools.most_bytes);
  return tools;
}

}  // namespace lanerope::cli
