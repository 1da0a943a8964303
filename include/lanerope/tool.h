// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "lanerope/names.h"

namespace lanerope {

// A tool that lanes call while they write (docs/tools.md).
struct Tool {
  std::string name = {};         // 1 to 64 letters, digits, dots, dashes and underscores
  std::string description = {};  // what the model is told of it
  // The JSON schema of its arguments.
  std::string parameters = R"({"type":"object","properties":{}})";
  // Takes the arguments, a JSON object, and gives what the lane reads. Called on threads of its own, maybe
  // several at once; it returns soon after it is asked to stop. The message of what it throws is what the
  // lane reads then.
  std::function<std::string(const std::string& arguments, const std::stop_token& stop)> run = {};
  // It takes microseconds and follows from its arguments alone: run between two steps, so that a lane never
  // waits for it and the same seed gives the same text.
  bool instant = false;
};

// A built-in tool, as it is listed and completed.
struct ToolInfo {
  std::string_view name;
  std::string_view help;  // a line
};
std::span<const ToolInfo> builtin_tools();

// Throws InvalidRequest where there is none of that name.
Tool builtin_tool(std::string_view name);

// A program of the user's: split into words, in which quotes keep together what belongs together, and run
// without a shell for each call, in a process group of its own. It reads the arguments, a JSON object, from
// its standard input; what it writes is the result.
struct ToolCommand {
  std::string name = {};
  std::string command = {};
  std::string description = {};     // empty: made of the name
  std::string parameters = {};      // empty: one text, "input"
  int64_t most_memory = 2LL << 30;  // bytes of data that each of its processes may have
};
// Throws InvalidRequest for a command without words or with a quote that is not closed.
Tool command_tool(const ToolCommand& command);

// The tools of the MCP servers that a file names, as clients have it: {"mcpServers": {"name": {"command":
// "...", "args": [...], "env": {...}}}}. Starts each server, once for all groups; it runs as long as one of
// its tools is kept, and is started again once if it ends. A tool whose name another server has too is called
// SERVER-NAME. Throws BadFile for the file, and SystemError for a server that does not answer.
std::vector<Tool> mcp_tools(const std::string& file);

// How long a lane that has called a tool waits for the result. A lane that waits computes nothing, and the
// others write on.
enum class ToolWait {
  call,  // from its call on
  end,   // it writes on until the result is there, and waits once it has come to its end
};
template <>
std::span<const Named<ToolWait>> names();

// The tools of a group's lanes.
struct LaneTools {
  std::vector<Tool> tools = {};  // told to the model and called as its chat template has it
  bool notes = false;            // "<<48/2=" is a call of the calculator too, and goes on with "24>>"
  ToolWait wait = ToolWait::call;
  int32_t most_calls = 16;    // of a lane
  double timeout = 10;        // seconds of a call
  int32_t most_bytes = 4096;  // of a result; what is longer is cut

  bool on() const { return notes || !tools.empty(); }
};

// Adds what a text names: "NAME" of a built-in tool, "notes", or "NAME=CMD". Throws as builtin_tool() and
// command_tool().
void add_tool(LaneTools& tools, std::string_view text);

}  // namespace lanerope
