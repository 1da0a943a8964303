// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace lanerope::cli {

// "--name=" as two words, the second of which is empty: CLI11 would take the next word for the value.
std::vector<std::string> with_empty_values(const CLI::App& app, std::vector<std::string> arguments);

// Throws InvalidRequest where an option of the commands that were given has an empty value, as a shell's
// variable has that nobody set: it would count as not given, or as 0.
void refuse_empty_values(const CLI::App& app);

}  // namespace lanerope::cli
