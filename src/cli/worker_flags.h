// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace lanerope::cli {

// --rpc, for every command that takes --device.
void add_worker_flag(CLI::App& app, std::vector<std::string>& workers, const char* group);

// Where a model is computed if --device is `device`: where that is empty on the CPU, or with workers, which
// are reached for that, on their devices and on all of this machine's that are not the CPU.
std::string chosen_device(const std::string& device, const std::vector<std::string>& workers);

// Until another is asked for, the loss of a worker ends the program with a sentence.
void end_where_a_worker_is_lost();

}  // namespace lanerope::cli
