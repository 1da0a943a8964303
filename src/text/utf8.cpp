// SPDX-License-Identifier: Apache-2.0
#include "text/utf8.h"

#include <cassert>
#include <cstdint>

namespace lanerope::text {

namespace {

struct Lead {
  size_t size;  // of the whole character; 0: no character begins so
  uint8_t low;  // of the second byte
  uint8_t high;
};

Lead lead(uint8_t byte) {
  if (byte < 0x80) return {1, 0, 0};
  if (byte < 0xC2) return {0, 0, 0};
  if (byte < 0xE0) return {2, 0x80, 0xBF};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};
  if (byte == 0xED) return {3, 0x80, 0x9F};
  if (byte < 0xF0) return {3, 0x80, 0xBF};
  if (byte == 0xF0) return {4, 0x90, 0xBF};
  if (byte < 0xF4) return {4, 0x80, 0xBF};
  if (byte == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

}  // namespace

Utf8Head utf8_head(std::string_view text) {
  assert(!text.empty());
  const Lead expected = lead(static_cast<uint8_t>(text[0]));
  if (expected.size == 0) return {Utf8Status::invalid, 1};
  for (size_t i = 1; i < expected.size; ++i) {
    if (i == text.size()) return {Utf8Status::incomplete, i};
    const auto byte = static_cast<uint8_t>(text[i]);
    const uint8_t low = i == 1 ? expected.low : 0x80;
    const uint8_t high = i == 1 ? expected.high : 0xBF;
    if (byte < low || byte > high) return {Utf8Status::invalid, i};
  }
  return {Utf8Status::character, expected.size};
}

size_t utf8_valid_prefix(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    if (static_cast<uint8_t>(text[at]) < 0x80) {
      ++at;
      continue;
    }
    const Utf8Head head = utf8_head(text.substr(at));
    if (head.status != Utf8Status::character) break;
    at += head.size;
  }
  return at;
}

bool is_utf8(std::string_view text) {
  return utf8_valid_prefix(text) == text.size();
}

std::string quoted(std::string_view text) {
  constexpr size_t longest = 60;
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out = "\"";
  size_t at = 0;
  while (at < text.size() && at < longest) {
    const Utf8Head head = utf8_head(text.substr(at));
    const auto byte = static_cast<uint8_t>(text[at]);
    // C1 controls, U+0080 to U+009F, move terminals as well.
    const bool c1 = head.size == 2 && byte == 0xC2 && static_cast<uint8_t>(text[at + 1]) < 0xA0;
    if (head.status == Utf8Status::character && byte >= 0x20 && byte != 0x7F && !c1) {
      if (byte == '"' || byte == '\\') out += '\\';
      out += text.substr(at, head.size);
    } else {
      for (size_t i = 0; i < head.size; ++i) {
        const auto broken = static_cast<uint8_t>(text[at + i]);
        out += {'\\', 'x', digits[broken >> 4], digits[broken & 15]};
      }
    }
    at += head.size;
  }
  out += at < text.size() ? "...\"" : "\"";
  return out;
}

std::string Utf8Assembler::push(std::string_view bytes) {
  rest_ += bytes;
  std::string_view text = rest_;
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const size_t valid = utf8_valid_prefix(text);
    out += text.substr(0, valid);
    text.remove_prefix(valid);
    if (text.empty()) break;
    const Utf8Head head = utf8_head(text);
    if (head.status == Utf8Status::incomplete) break;
    out += replacement_character;
    text.remove_prefix(head.size);
  }
  rest_.erase(0, rest_.size() - text.size());
  return out;
}

std::string Utf8Assembler::flush() {
  if (rest_.empty()) return {};
  rest_.clear();
  return std::string(replacement_character);
}

}  // namespace lanerope::text
