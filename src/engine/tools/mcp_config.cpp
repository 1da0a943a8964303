// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "engine/tools/mcp_server.h"
#include "lanerope/errors.h"
#include "lanerope/tool.h"

namespace lanerope {

namespace {

using Json = nlohmann::ordered_json;

class ConfigFile {
 public:
  explicit ConfigFile(std::string path) : path_(std::move(path)) {}

  // Each server's program by its name, in the order of the file.
  std::vector<std::pair<std::string, engine::ChildProgram>> programs() const {
    std::ifstream file(path_);
    if (!file) throw SystemError("cannot open " + path_);
    const Json json = Json::parse(std::istreambuf_iterator<char>(file), {}, nullptr, false);
    const auto servers = json.is_object() ? json.find("mcpServers") : json.end();
    if (!json.is_object() || servers == json.end() || !servers->is_object())
      refuse("is no JSON object with mcpServers");
    std::vector<std::pair<std::string, engine::ChildProgram>> programs;
    for (const auto& [name, server] : servers->items()) programs.emplace_back(name, program(name, server));
    return programs;
  }

 private:
  engine::ChildProgram program(const std::string& name, const Json& server) const {
    if (!server.is_object()) refuse("has a server " + name + " that is no object");
    if (server.contains("url") || server.value("type", Json("stdio")) != "stdio")
      refuse("has a server " + name + " that is no program: lanerope speaks with servers over stdio alone");
    const auto command = server.find("command");
    if (command == server.end() || !command->is_string() || command->get<std::string>().empty())
      refuse("names no command for the server " + name);
    engine::ChildProgram program{.words = {command->get<std::string>()}, .quiet = true};
    if (const auto arguments = server.find("args"); arguments != server.end()) {
      if (!arguments->is_array()) refuse("has arguments of the server " + name + " that are no list");
      for (const Json& argument : *arguments) program.words.push_back(text(name, argument));
    }
    if (const auto environment = server.find("env"); environment != server.end()) {
      if (!environment->is_object()) refuse("has an env of the server " + name + " that is no object");
      for (const auto& [variable, value] : environment->items())
        program.environment.emplace_back(variable, text(name, value));
    }
    return program;
  }

  std::string text(const std::string& name, const Json& value) const {
    if (!value.is_string())
      refuse("has an argument or a variable of the server " + name + " that is no text");
    return value.get<std::string>();
  }

  [[noreturn]] void refuse(const std::string& what) const {
    throw BadFile(
        path_ + " " + what +
        R"(; it must be {"mcpServers": {"NAME": {"command": "...", "args": [...], "env": {...}}}})");
  }

  std::string path_;
};

}  // namespace

std::vector<Tool> mcp_tools(const std::string& file) {
  std::vector<Tool> all;
  std::map<std::string, int> named;
  std::vector<std::string> servers;  // [all]
  for (auto& [name, program] : ConfigFile(file).programs()) {
    const auto server = std::make_shared<engine::McpServer>(name, std::move(program));
    for (Tool& tool : server->tools()) {
      tool.run = [server, called = tool.name](const std::string& arguments, const std::stop_token& stop) {
        return server->call(called, arguments, stop);
      };
      ++named[tool.name];
      servers.push_back(name);
      all.push_back(std::move(tool));
    }
  }
  for (size_t i = 0; i < all.size(); ++i) {
    const std::string own = all[i].name;
    if (named[own] > 1) all[i].name = servers[i] + "-" + own;
  }
  return all;
}

}  // namespace lanerope
