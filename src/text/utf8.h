// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace lanerope::text {

// U+FFFD, what stands for bytes that are not UTF-8.
inline constexpr std::string_view replacement_character = "\xEF\xBF\xBD";

enum class Utf8Status {
  character,   // a whole character
  incomplete,  // the text ends inside what may still become one
  invalid,     // bytes that no continuation makes valid
};

// What a text begins with, after Unicode 15, table 3-7: overlong forms, surrogates and values above U+10FFFF
// are invalid. An invalid sequence is the longest prefix that could have begun a character, at least one
// byte.
struct Utf8Head {
  Utf8Status status;
  size_t size;  // bytes, at least 1
};

// `text` is not empty.
Utf8Head utf8_head(std::string_view text);

bool is_utf8(std::string_view text);

// Where the first byte that does not belong to a whole character is, or text.size().
size_t utf8_valid_prefix(std::string_view text);

// `text` for a message: in double quotes, on one line, unprintable and broken bytes as \xHH, at most 60 bytes
// of it.
std::string quoted(std::string_view text);

// Turns bytes that arrive in pieces into text. What push and flush return is valid UTF-8 and does not depend
// on where the pieces were cut: broken bytes become U+FFFD as soon as nothing that follows can save them.
class Utf8Assembler {
 public:
  std::string push(std::string_view bytes);
  std::string flush();
  bool holds() const { return !rest_.empty(); }

 private:
  std::string rest_;  // the beginning of a character, at most 3 bytes
};

}  // namespace lanerope::text
