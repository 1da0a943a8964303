// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>

namespace lanerope::cli {

// Thrown when the reader of standard output has gone: the program ends without a word.
struct OutputClosed : std::runtime_error {
  OutputClosed() : std::runtime_error("standard output is closed") {}
};

// All that goes to standard output goes through here, and is flushed. Throws OutputClosed, or SystemError
// when the disk behind it is full.
void print_out(std::string_view text);

// One compact line; bytes that are not UTF-8 become U+FFFD.
void print_json_line(const nlohmann::ordered_json& value);

// For people, to standard error; errors in writing are ignored.
void print_note(std::string_view line);

bool output_is_terminal();
bool notes_are_terminal();

// Text of a model is not to be trusted with a terminal: controls other than line breaks and tabs become
// U+00B7.
std::string without_controls(std::string_view text);

}  // namespace lanerope::cli
