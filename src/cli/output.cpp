// SPDX-License-Identifier: Apache-2.0
#include "cli/output.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "lanerope/errors.h"

namespace lanerope::cli {

void print_out(std::string_view text) {
  const size_t written = std::fwrite(text.data(), 1, text.size(), stdout);
  if (written == text.size() && std::fflush(stdout) == 0) return;
  if (errno == EPIPE) throw OutputClosed();
  throw SystemError(std::string("standard output cannot be written (") + std::strerror(errno) +
                    "); free some space or send it elsewhere");
}

void print_json_line(const nlohmann::ordered_json& value) {
  print_out(value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

void print_note(std::string_view line) {
  std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
}

bool output_is_terminal() {
  return isatty(STDOUT_FILENO) == 1;
}
bool notes_are_terminal() {
  return isatty(STDERR_FILENO) == 1;
}

std::string without_controls(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool c1 = c == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if (c1) ++i;
    if (c1 || (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f) {
      clean += "·";
    } else {
      clean += static_cast<char>(c);
    }
  }
  return clean;
}

}  // namespace lanerope::cli
