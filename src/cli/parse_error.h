// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace lanerope::cli {

// The command that was chosen last: `rollout` of `lanerope data rollout`.
const CLI::App& innermost(const CLI::App& app);

// Whether a command's name must follow: of lanerope itself, and of `lanerope data`, but not of `lanerope
// eval`, which has options of its own.
bool groups_commands(const CLI::App& app);

// CLI11 words its errors for other programs; here each is one sentence that says what to do.
std::string parse_error_text(const CLI::App& app, const CLI::ParseError& error);

}  // namespace lanerope::cli
