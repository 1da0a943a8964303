// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace lanerope::cli {

// --rpc, for every command that takes --device.
void add_worker_flag(CLI::App& app, std::vector<std::string>& workers, const char* group);

// Until another is asked for, the loss of a worker ends the program with a sentence.
void end_where_a_worker_is_lost();

}  // namespace lanerope::cli
