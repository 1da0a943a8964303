// SPDX-License-Identifier: Apache-2.0
#include "text/byte_map.h"

#include <array>
#include <cstddef>

#include "text/utf8.h"

namespace lanerope {

namespace {

constexpr size_t first_moved = 0x100;
constexpr size_t n_moved = 68;

constexpr bool is_printable(size_t byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || (byte >= 0xAE && byte <= 0xFF);
}

struct Map {
  std::array<uint16_t, 256> to_character{};
  std::array<uint8_t, n_moved> moved{};  // the byte of character first_moved + i
};

constexpr Map make_map() {
  Map map{};
  size_t n = 0;
  for (size_t byte = 0; byte < 256; ++byte) {
    if (is_printable(byte)) {
      map.to_character[byte] = static_cast<uint16_t>(byte);
    } else {
      map.moved[n] = static_cast<uint8_t>(byte);
      map.to_character[byte] = static_cast<uint16_t>(first_moved + n++);
    }
  }
  return map;
}

constexpr Map map = make_map();

}  // namespace

std::string mapped_byte(uint8_t byte) {
  const uint16_t character = map.to_character[byte];
  if (character < 0x80) return std::string(1, static_cast<char>(character));
  return {static_cast<char>(0xC0 | (character >> 6)), static_cast<char>(0x80 | (character & 0x3F))};
}

std::string unmap_bytes(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Utf8Head head = utf8_head(text);
    const auto first = static_cast<uint8_t>(text[0]);
    size_t character = first;
    if (head.size == 2) character = (first & 0x1Fu) << 6 | (static_cast<uint8_t>(text[1]) & 0x3Fu);
    const bool whole = head.status == Utf8Status::character && head.size <= 2;
    if (whole && character >= first_moved && character < first_moved + n_moved) {
      out += static_cast<char>(map.moved[character - first_moved]);
    } else if (whole && character < 0x100 && is_printable(character)) {
      out += static_cast<char>(character);
    } else {
      out += text.substr(0, head.size);
    }
    text.remove_prefix(head.size);
  }
  return out;
}

}  // namespace lanerope
