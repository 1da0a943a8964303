// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace lanerope::cli {

// Where a text comes from: words on the command line, -p, -f FILE, or standard input ("-", or a pipe).
struct TextSource {
  std::optional<std::string> positional;
  std::optional<std::string> option;
  std::optional<std::string> file;
};

// `what` names the text in the help, in capitals: "PROMPT".
void add_text_source(CLI::App& app, TextSource& source, const std::string& what);

// The text, checked to be UTF-8. Throws InvalidRequest if it is not, if none or several were given, and
// SystemError if a file cannot be read.
std::string read_text(const TextSource& source);

// The whole file; "-" is standard input. Throws SystemError.
std::string read_file(const std::string& file);

// The same as text: without a byte-order mark, and with lines that end as they do here, whatever machine the
// file is from.
std::string read_text_file(const std::string& file);

bool valid_utf8(std::string_view text);

// Throws InvalidRequest naming `what` and the first byte that is not UTF-8.
void check_utf8(std::string_view text, std::string_view what);

}  // namespace lanerope::cli
