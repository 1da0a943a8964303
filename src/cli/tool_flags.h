// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lanerope/tool.h"

namespace lanerope::cli {

// --tool, once for each, --mcp-config, and how they are used.
struct ToolFlags {
  std::vector<std::string> tools = {};
  std::vector<std::string> schemas = {};  // NAME=FILE
  std::string mcp_config = {};
  std::optional<ToolWait> wait = {};
  std::optional<int32_t> most_calls = {};
  std::optional<double> timeout = {};
  std::optional<int32_t> most_bytes = {};
  std::optional<int64_t> memory_mib = {};
};

void add_tool_flags(CLI::App& app, ToolFlags& flags, const std::string& group);

// "calculator|notes": completion reads words from the name of an option's type.
std::string tool_names();

// Nothing where the flags ask for no tools. Servers of the file are started once, whoever asks. Throws
// InvalidRequest for what does not go together, SystemError and BadFile as mcp_tools().
std::optional<LaneTools> to_tools(const ToolFlags& flags);

}  // namespace lanerope::cli
