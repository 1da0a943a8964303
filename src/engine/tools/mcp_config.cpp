// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <filesystem>
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

constexpr std::array<std::string_view, 6> known = {"command", "args", "env", "cwd", "type", "disabled"};
// What other clients write there for themselves: whom they ask before a call, how long they wait for one.
constexpr std::array<std::string_view, 6> of_others = {"alwaysAllow",   "autoApprove", "description",
                                                       "disabledTools", "name",        "timeout"};

class ConfigFile {
 public:
  explicit ConfigFile(std::string path) : path_(std::move(path)) {}

  // Each server's program by its name, in the order of the file.
  std::vector<std::pair<std::string, engine::ChildProgram>> programs() const {
    std::error_code none;
    if (std::filesystem::is_directory(path_, none)) throw SystemError(path_ + " is a folder; name a file");
    std::ifstream file(path_);
    if (!file) throw SystemError("cannot open " + path_);
    const Json json = Json::parse(std::istreambuf_iterator<char>(file), {}, nullptr, false);
    const auto servers = json.is_object() ? json.find("mcpServers") : json.end();
    if (!json.is_object() || servers == json.end() || !servers->is_object())
      refuse("is no JSON object with mcpServers");
    std::vector<std::pair<std::string, engine::ChildProgram>> programs;
    for (const auto& [name, server] : servers->items()) {
      if (!is_disabled(name, server)) programs.emplace_back(name, program(name, server));
    }
    if (programs.empty()) refuse("has no server, or none that is not disabled");
    return programs;
  }

 private:
  bool is_disabled(const std::string& name, const Json& server) const {
    if (!server.is_object()) refuse("has a server " + name + " that is no object");
    const Json disabled = server.value("disabled", Json(false));
    if (!disabled.is_boolean())
      refuse("has a server " + name + " whose \"disabled\" is neither true nor false");
    return disabled.get<bool>();
  }

  engine::ChildProgram program(const std::string& name, const Json& server) const {
    if (server.contains("url") || server.value("type", Json("stdio")) != "stdio")
      refuse("has a server " + name + " that is no program: lanerope speaks with servers over stdio alone");
    for (const auto& [key, value] : server.items()) {
      if (std::ranges::find(known, key) == known.end() &&
          std::ranges::find(of_others, key) == of_others.end())
        refuse("has a server " + name + " with \"" + key + "\", which lanerope does not know");
    }
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
    if (const auto folder = server.find("cwd"); folder != server.end()) program.folder = text(name, *folder);
    return program;
  }

  std::string text(const std::string& name, const Json& value) const {
    if (!value.is_string())
      refuse("has an argument, a variable or a folder of the server " + name + " that is no text");
    return value.get<std::string>();
  }

  [[noreturn]] void refuse(const std::string& what) const {
    throw BadFile(
        path_ + " " + what +
        R"(; it must be {"mcpServers": {"NAME": {"command": "...", "args": [...], "env": {...}, "cwd": "..."}}})");
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
