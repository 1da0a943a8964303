// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

namespace lanerope::text {

// Bytes of the white space that `text` begins with, as Python's str.strip() knows it; 0 if it begins with
// none.
constexpr size_t leading_space(std::string_view text) {
  if (text.empty()) return 0;
  const auto byte = [text](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0; };
  const unsigned char first = byte(0);
  if (first == ' ' || (first >= '\t' && first <= '\r') || (first >= 0x1C && first <= 0x1F)) return 1;
  if (first == 0xC2 && (byte(1) == 0x85 || byte(1) == 0xA0)) return 2;
  if (first < 0xE1 || first > 0xE3) return 0;
  const unsigned pair = static_cast<unsigned>(byte(1)) << 8 | byte(2);
  const bool in_general_punctuation = (pair >= 0x8080 && pair <= 0x808A) || pair == 0x80A8 ||
                                      pair == 0x80A9 || pair == 0x80AF || pair == 0x819F;
  if (first == 0xE1 && pair == 0x9A80) return 3;          // U+1680
  if (first == 0xE2 && in_general_punctuation) return 3;  // U+2000 to U+200A, U+2028, U+2029, U+202F, U+205F
  if (first == 0xE3 && pair == 0x8080) return 3;          // U+3000
  return 0;
}

struct Strip {
  bool left = true;
  bool right = true;
};

// `text` without the white space around it.
constexpr std::string_view stripped(std::string_view text, Strip sides = {}) {
  while (sides.left) {
    const size_t size = leading_space(text);
    if (size == 0) break;
    text.remove_prefix(size);
  }
  while (sides.right && !text.empty()) {
    size_t size = 0;
    for (size_t back = 1; back <= 3 && back <= text.size() && size == 0; ++back) {
      if (leading_space(text.substr(text.size() - back)) == back) size = back;
    }
    if (size == 0) break;
    text.remove_suffix(size);
  }
  return text;
}

}  // namespace lanerope::text
