// SPDX-License-Identifier: Apache-2.0
#include "answers/unicode_spelling.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

namespace lanerope::answers {

namespace {

struct Entry {
  char32_t character;
  std::string_view spelling;
};

constexpr std::array entries = {
    Entry{U'\u00a0', " "},
    Entry{U'\u00a3', "\\gbp "},
    Entry{U'\u00a5', "\\yuan "},
    Entry{U'\u00b0', "^{\\circ}"},
    Entry{U'\u00b1', "\\pm "},
    Entry{U'\u00b7', "*"},
    Entry{U'\u00bc', "\\frac{1}{4}"},
    Entry{U'\u00bd', "\\frac{1}{2}"},
    Entry{U'\u00be', "\\frac{3}{4}"},
    Entry{U'\u00d7', "*"},
    Entry{U'\u00f7', "/"},
    Entry{U'\u03b1', "\\alpha "},
    Entry{U'\u03b2', "\\beta "},
    Entry{U'\u03b3', "\\gamma "},
    Entry{U'\u03b4', "\\delta "},
    Entry{U'\u03b8', "\\theta "},
    Entry{U'\u03bb', "\\lambda "},
    Entry{U'\u03bc', "\\mu "},
    Entry{U'\u03c0', "\\pi "},
    Entry{U'\u03c6', "\\phi "},
    Entry{U'\u03c9', "\\omega "},
    Entry{U'\u03a9', "\\Omega "},
    Entry{U'\u2009', " "},
    Entry{U'\u200b', ""},
    Entry{U'\u2010', "-"},
    Entry{U'\u2011', "-"},
    Entry{U'\u2012', "-"},
    Entry{U'\u2013', "-"},
    Entry{U'\u2014', "-"},
    Entry{U'\u2018', "'"},
    Entry{U'\u2019', "'"},
    Entry{U'\u201c', ""},
    Entry{U'\u201d', ""},
    Entry{U'\u2026', "..."},
    Entry{U'\u202f', " "},
    Entry{U'\u2032', "'"},
    Entry{U'\u20ac', "\\eur "},
    Entry{U'\u2103', "^{\\circ}\\text{C}"},
    Entry{U'\u211d', "\\mathbb{R}"},
    Entry{U'\u2153', "\\frac{1}{3}"},
    Entry{U'\u2154', "\\frac{2}{3}"},
    Entry{U'\u215b', "\\frac{1}{8}"},
    Entry{U'\u2205', "\\emptyset "},
    Entry{U'\u2208', "\\in "},
    Entry{U'\u2212', "-"},
    Entry{U'\u2213', "\\mp "},
    Entry{U'\u2215', "/"},
    Entry{U'\u2216', "\\setminus "},
    Entry{U'\u2217', "*"},
    Entry{U'\u2219', "*"},
    Entry{U'\u221a', "\\sqrt "},
    Entry{U'\u221b', "\\sqrt[3]"},
    Entry{U'\u221e', "\\infty "},
    Entry{U'\u2220', ""},
    Entry{U'\u2229', "\\cap "},
    Entry{U'\u222a', "\\cup "},
    Entry{U'\u2248', "\\approx "},
    Entry{U'\u2260', "!="},
    Entry{U'\u2264', "<="},
    Entry{U'\u2265', ">="},
    Entry{U'\u2a7d', "<="},
    Entry{U'\u2a7e', ">="},
    Entry{U'\u22c5', "*"},
    Entry{U'\u3000', " "},
    Entry{U'\u3001', ","},
    Entry{U'\u3002', "."},
    Entry{U'\u3010', "["},
    Entry{U'\u3011', "]"},
    Entry{U'\u5143', "\\text{yuan}"},
    Entry{U'\u548c', "\\text{ and }"},
    Entry{U'\u4e14', "\\text{ and }"},
    Entry{U'\u6216', "\\text{ or }"},
    Entry{U'\uffe5', "\\yuan "},
};

struct Decoded {
  char32_t character;
  size_t bytes;
};

std::optional<Decoded> decode(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  size_t bytes = 0;
  if (lead >= 0xc2 && lead <= 0xdf) bytes = 2;
  if (lead >= 0xe0 && lead <= 0xef) bytes = 3;
  if (lead >= 0xf0 && lead <= 0xf4) bytes = 4;
  if (bytes == 0 || text.size() < bytes) return std::nullopt;
  char32_t character = lead & (0xff >> (bytes + 1));
  for (size_t i = 1; i < bytes; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xc0) != 0x80) return std::nullopt;
    character = (character << 6) | (next & 0x3f);
  }
  return Decoded{.character = character, .bytes = bytes};
}

// The digit, sign or letter that a superscript or subscript shows; 0 for what is none.
char raised(char32_t c) {
  constexpr std::u32string_view high = U"\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079";
  const size_t digit = high.find(c);
  if (digit != std::u32string_view::npos) return static_cast<char>('0' + digit);
  if (c == U'\u207a') return '+';
  if (c == U'\u207b') return '-';
  return c == U'\u207f' ? 'n' : '\0';
}

char lowered(char32_t c) {
  if (c >= U'\u2080' && c <= U'\u2089') return static_cast<char>('0' + (c - U'\u2080'));
  return c == U'\u2099' ? 'n' : '\0';
}

UnicodeSpelling script(std::string_view text, char (*shown)(char32_t), std::string_view open) {
  UnicodeSpelling result{.bytes = 0, .spelling = std::string(open)};
  while (result.bytes < text.size()) {
    const auto next = decode(text.substr(result.bytes));
    const char c = next ? shown(next->character) : '\0';
    if (c == '\0') break;
    result.spelling += c;
    result.bytes += next->bytes;
  }
  result.spelling += '}';
  return result;
}

}  // namespace

UnicodeSpelling unicode_spelling(std::string_view text) {
  const auto decoded = decode(text);
  if (!decoded) return {.bytes = 1, .spelling = std::string(text.substr(0, 1))};
  const auto [c, bytes] = *decoded;
  if (raised(c) != '\0') return script(text, raised, "^{");
  if (lowered(c) != '\0') return script(text, lowered, "_{");
  if (c >= U'\uff01' && c <= U'\uff5e')  // the full-width forms of ASCII
    return {.bytes = bytes, .spelling = std::string(1, static_cast<char>(c - U'\uff01' + '!'))};
  const auto* found = std::ranges::find(entries, c, &Entry::character);
  if (found != entries.end()) return {.bytes = bytes, .spelling = std::string(found->spelling)};
  return {.bytes = bytes, .spelling = std::string(text.substr(0, bytes))};
}

}  // namespace lanerope::answers
