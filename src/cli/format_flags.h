// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "lanerope/answer_format.h"

namespace lanerope::cli {

// What the answer keeps to, and how long a model may think about it.
struct FormatFlags {
  std::string json_schema;  // JSON, or a file with it
  std::string grammar;      // GBNF, or a file with it
  std::string regex;
  std::vector<std::string> choices;
  std::optional<int32_t> thinking_budget;
};

void add_format_flags(CLI::App& app, FormatFlags& flags);

// The format that one of them names. Reads files: throws SystemError.
AnswerFormat to_format(const FormatFlags& flags);

}  // namespace lanerope::cli
