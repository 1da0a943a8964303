// SPDX-License-Identifier: Apache-2.0
#include "text/byte_map.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "text/utf8.h"

namespace lanerope::text {

namespace {

constexpr size_t first_moved = 0x100;
constexpr size_t n_moved = 68;

constexpr bool is_printable(size_t byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || (byte >= 0xAE && byte <= 0xFF);
}

constexpr std::array<uint8_t, n_moved> make_moved() {
  std::array<uint8_t, n_moved> bytes{};
  size_t n = 0;
  for (size_t byte = 0; byte < 256; ++byte) {
    if (!is_printable(byte)) bytes[n++] = static_cast<uint8_t>(byte);
  }
  return bytes;
}

constexpr std::array<uint8_t, n_moved> moved = make_moved();  // the byte of character first_moved + i

}  // namespace

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
      out += static_cast<char>(moved[character - first_moved]);
    } else if (whole && character < 0x100 && is_printable(character)) {
      out += static_cast<char>(character);
    } else {
      out += text.substr(0, head.size);
    }
    text.remove_prefix(head.size);
  }
  return out;
}

std::string map_bytes(std::string_view bytes) {
  std::string out;
  out.reserve(2 * bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<uint8_t>(c);
    size_t character = byte;
    if (!is_printable(byte)) {
      character = first_moved + static_cast<size_t>(std::ranges::lower_bound(moved, byte) - moved.begin());
    }
    if (character >= 0x80) {
      out += static_cast<char>(0xC0u | character >> 6);
      character = 0x80u | (character & 0x3Fu);
    }
    out += static_cast<char>(character);
  }
  return out;
}

}  // namespace lanerope::text
