// SPDX-License-Identifier: Apache-2.0
#include "cli/text_source.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <vector>

#include "lanerope/errors.h"

namespace lanerope::cli {

namespace {

// Bytes of the character that starts at `at`, or 0 if it is none: overlong forms and surrogates are refused.
size_t character_bytes(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto tail = [&](size_t i) { return (byte(i) & 0xc0) == 0x80; };
  const unsigned first = byte(at);
  const unsigned second = byte(at + 1);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return tail(at + 1) ? 2 : 0;
  if (first >= 0xe0 && first < 0xf0) {
    const bool overlong = first == 0xe0 && second < 0xa0;
    const bool surrogate = first == 0xed && second >= 0xa0;
    return tail(at + 1) && tail(at + 2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xf0 && first < 0xf5) {
    const bool overlong = first == 0xf0 && second < 0x90;
    const bool beyond = first == 0xf4 && second >= 0x90;
    return tail(at + 1) && tail(at + 2) && tail(at + 3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

// The size of the text if all is well.
size_t first_bad_byte(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const size_t bytes = character_bytes(text, at);
    if (bytes == 0) return at;
    at += bytes;
  }
  return text.size();
}

}  // namespace

void add_text_source(CLI::App& app, TextSource& source, const std::string& what) {
  app.add_option(what, source.positional, "The text itself; - reads standard input");
  app.add_option("-p,--prompt", source.option, "The same, as an option")->type_name("TEXT");
  app.add_option("-f,--file", source.file, "Read the text from a file")->type_name("FILE");
}

std::string read_file(const std::string& file) {
  std::ifstream stream;
  errno = 0;
  if (file != "-") stream.open(file, std::ios::binary);
  std::istream& in = file == "-" ? std::cin : stream;
  std::string text;
  std::vector<char> buffer(65536);
  while (in.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) || in.gcount() > 0) {
    text.append(buffer.data(), static_cast<size_t>(in.gcount()));
  }
  if (in.eof() && !in.bad()) return text;
  throw SystemError(file + " cannot be read (" + std::strerror(errno) +
                    "); check the name and its permissions");
}

std::string read_text_file(const std::string& file) {
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  std::string text = read_file(file);
  if (text.starts_with(byte_order_mark)) text.erase(0, byte_order_mark.size());
  size_t kept = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    text[kept++] = text[i];
  }
  text.resize(kept);
  return text;
}

bool valid_utf8(std::string_view text) {
  return first_bad_byte(text) == text.size();
}

void check_utf8(std::string_view text, std::string_view what) {
  const size_t at = first_bad_byte(text);
  if (at == text.size()) return;
  throw InvalidRequest(std::string(what) + " is not UTF-8 at byte " + std::to_string(at + 1) +
                       "; convert it, for example with iconv");
}

std::string read_text(const TextSource& source) {
  const int given =
      int{source.positional.has_value()} + int{source.option.has_value()} + int{source.file.has_value()};
  if (given > 1)
    throw InvalidRequest("the text is given twice; give it once: as an argument, with -p or with -f");
  const bool from_pipe = source.positional == "-" || (given == 0 && isatty(STDIN_FILENO) == 0);
  std::string text;
  if (from_pipe || source.file) {
    text = read_text_file(from_pipe ? "-" : *source.file);
    if (text.ends_with('\n')) text.pop_back();  // ends the last line of a file, not the text
  } else {
    text = source.option.value_or(source.positional.value_or(""));
  }
  if (text.empty()) {
    throw InvalidRequest(
        "the text is empty; give it as an argument, with -p, with -f FILE or through a pipe");
  }
  check_utf8(text, "the text");
  return text;
}

}  // namespace lanerope::cli
