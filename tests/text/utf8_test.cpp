// SPDX-License-Identifier: Apache-2.0
#include "text/utf8.h"

#include <gtest/gtest.h>

namespace lanerope::text {
namespace {

std::string character(uint32_t code) {
  const auto tail = [&](int shift) { return static_cast<char>(0x80 | ((code >> shift) & 0x3F)); };
  if (code < 0x80) return {static_cast<char>(code)};
  if (code < 0x800) return {static_cast<char>(0xC0 | code >> 6), tail(0)};
  if (code < 0x10000) return {static_cast<char>(0xE0 | code >> 12), tail(6), tail(0)};
  return {static_cast<char>(0xF0 | code >> 18), tail(12), tail(6), tail(0)};
}

TEST(Utf8, EveryScalarValueIsACharacterAndNothingElseIs) {
  for (uint32_t code = 0; code < 0x140000; ++code) {
    const bool scalar = code < 0x110000 && (code < 0xD800 || code > 0xDFFF);
    const Utf8Head head = utf8_head(character(code));
    ASSERT_EQ(head.status == Utf8Status::character, scalar) << code;
    if (scalar) {
      ASSERT_EQ(head.size, character(code).size()) << code;
    }
  }
}

TEST(Utf8, OverlongFormsAreInvalidAtTheirFirstByte) {
  for (const std::string_view bytes : {"\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xF0\x8F\xBF\xBF"}) {
    EXPECT_EQ(utf8_head(bytes).status, Utf8Status::invalid);
    EXPECT_EQ(utf8_head(bytes).size, 1);
  }
}

TEST(Utf8, EveryProperPrefixOfACharacterIsIncomplete) {
  for (const uint32_t code : {0xE9u, 0x20ACu, 0xD7FFu, 0x1F600u, 0x10FFFFu}) {
    const std::string whole = character(code);
    for (size_t size = 1; size < whole.size(); ++size) {
      EXPECT_EQ(utf8_head(whole.substr(0, size)).status, Utf8Status::incomplete);
    }
  }
}

// The example of Unicode 15, table 3-8: one U+FFFD for each longest prefix that could have begun a character.
TEST(Utf8Assembler, ReplacesAsUnicodeRecommends) {
  Utf8Assembler assembler;
  EXPECT_EQ(assembler.push("a\xF1\x80\x80\xE1\x80\xC2"
                           "b\x80"
                           "c\x80\xBF"
                           "d"),
            "a\uFFFD\uFFFD\uFFFDb\uFFFDc\uFFFD\uFFFDd");
}

TEST(Utf8Assembler, HoldsBackOnlyWhatCouldBecomeACharacter) {
  Utf8Assembler assembler;
  EXPECT_EQ(assembler.push("x\xF0"), "x");
  EXPECT_EQ(assembler.push("\x9F\x98"), "");
  EXPECT_EQ(assembler.push("\x80y"), "\U0001F600y");
  EXPECT_EQ(assembler.push("\xE2\x82"), "");
  EXPECT_EQ(assembler.push("!"), "\uFFFD!");
  EXPECT_EQ(assembler.push("\xC3"), "");
  EXPECT_EQ(assembler.flush(), "\uFFFD");
  EXPECT_EQ(assembler.flush(), "");
}

TEST(Utf8Assembler, DoesNotDependOnWhereTheBytesAreCut) {
  const std::string bytes = "é\xE2\x82z\xF0\x9F\x98\x80\xED\xA0\x80\xFF\xC3";
  Utf8Assembler whole;
  std::string expected = whole.push(bytes);
  expected += whole.flush();
  ASSERT_TRUE(is_utf8(expected));
  for (size_t first = 0; first <= bytes.size(); ++first) {
    for (size_t second = first; second <= bytes.size(); ++second) {
      Utf8Assembler assembler;
      std::string text = assembler.push(std::string_view(bytes).substr(0, first));
      text += assembler.push(std::string_view(bytes).substr(first, second - first));
      text += assembler.push(std::string_view(bytes).substr(second));
      text += assembler.flush();
      EXPECT_EQ(text, expected) << first << ' ' << second;
    }
  }
}

TEST(Quoted, IsOneSafeLine) {
  EXPECT_EQ(quoted("naïve"), "\"naïve\"");
  EXPECT_EQ(quoted("a\"b\\\n\x1B[0m\xFF"), R"("a\"b\\\x0A\x1B[0m\xFF")");
  EXPECT_EQ(quoted("\xC2\x9B"), R"("\xC2\x9B")");
  const std::string long_text = quoted(std::string(1000, 'x'));
  EXPECT_LT(long_text.size(), 70);
  EXPECT_TRUE(long_text.ends_with("...\""));
}

}  // namespace
}  // namespace lanerope::text
