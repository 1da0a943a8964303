// SPDX-License-Identifier: Apache-2.0
#include "text/pre_tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lanerope::text {
namespace {

using testing::ElementsAre;

std::vector<std::string_view> words(std::string_view name, std::string_view text) {
  return PreTokenizer(parse_pre_tokenizer(name).value()).split(text);
}

TEST(PreTokenizer, Gpt2) {
  EXPECT_THAT(words("gpt-2", "I'll say  it's 1234 times!\n\n"),
              ElementsAre("I", "'ll", " say", " ", " it", "'s", " 1234", " times", "!", "\n\n"));
  EXPECT_THAT(words("gpt-2", "I'LL"), ElementsAre("I", "'", "LL"));
}

TEST(PreTokenizer, LlamaTakesDigitsByThreeAndContractionsInBothCases) {
  EXPECT_THAT(words("llama-bpe", "We'LL 12345(x)\n  y"),
              ElementsAre("We", "'LL", " ", "123", "45", "(x", ")\n", " ", " y"));
}

TEST(PreTokenizer, Qwen2TakesDigitsOneByOne) {
  EXPECT_THAT(words("qwen2", "a 123.\r\n b"), ElementsAre("a", " ", "1", "2", "3", ".\r\n", " b"));
  EXPECT_THAT(words("deepseek-r1-qwen", "12"), ElementsAre("1", "2"));
}

TEST(PreTokenizer, SmolLmCutsOutDigitsBeforeAnythingElse) {
  EXPECT_THAT(words("smollm", "x 12 y's"), ElementsAre("x", " ", "1", "2", " y", "'s"));
  // The look-ahead of the second pass ends at the digit: both spaces are one word.
  EXPECT_THAT(words("smollm", "x  1"), ElementsAre("x", "  ", "1"));
}

TEST(PreTokenizer, TekkenCutsAtCapitals) {
  EXPECT_THAT(words("tekken", "helloWorld ABC 12/\n"),
              ElementsAre("hello", "World", " ABC", " ", "1", "2", "/\n"));
}

TEST(PreTokenizer, LettersNumbersAndSpacesAreThoseOfUnicode) {
  EXPECT_THAT(words("qwen2", "žluť 日本\u00A0x\u2003y٣४"),
              ElementsAre("žluť", " 日本", "\u00A0x", "\u2003y", "٣", "४"));
  // The long s folds to "s" and is none in a contraction.
  EXPECT_THAT(words("qwen2", "'ſ"), ElementsAre("'ſ"));
  EXPECT_THAT(words("gpt-2", "'ſ"), ElementsAre("'", "ſ"));
  // A next-line character is white space; the Mongolian vowel separator has not been since Unicode 6.3.
  EXPECT_THAT(words("gpt-2", "!\u0085!"), ElementsAre("!", "\u0085", "!"));
  EXPECT_THAT(words("gpt-2", "!\u180E!"), ElementsAre("!\u180E!"));
}

TEST(PreTokenizer, BytesThatAreNotUtf8StandAlone) {
  EXPECT_THAT(words("qwen2",
                    "ab\xFF\xC3"
                    "cd\xE2\x82"),
              ElementsAre("ab", "\xFF", "\xC3", "cd", "\xE2", "\x82"));
}

class EveryPreTokenizer : public testing::TestWithParam<const char*> {};

TEST_P(EveryPreTokenizer, LosesNothing) {
  for (const std::string text :
       {"", " ", "\t\tx", " \n \n", "a\u3000\u3000b", "'''s", "9٣ x", "\xF0\x9F", "a\x01"}) {
    std::string joined;
    for (const std::string_view word : words(GetParam(), text)) joined += word;
    EXPECT_EQ(joined, text);
  }
}

// 1 MB without a place to cut, or with one everywhere: far below a second each, unless something is
// quadratic.
TEST_P(EveryPreTokenizer, LongRunsTakeLinearTime) {
  constexpr size_t size = 1 << 20;
  for (const char* unit : {"a", "A", " ", "\n", "1", "!", " \n", "aA", "'", "日", " a"}) {
    std::string text;
    while (text.size() < size) text += unit;
    for (const char* tail : {"", "x", " x"}) {
      const std::string whole = text + tail;
      size_t total = 0;
      for (const std::string_view word : words(GetParam(), whole)) total += word.size();
      EXPECT_EQ(total, whole.size());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(PreTokenizer, EveryPreTokenizer,
                         testing::Values("gpt-2", "llama-bpe", "qwen2", "smollm", "tekken"));

TEST(PreTokenizer, UnknownNamesAreNotGuessed) {
  EXPECT_EQ(parse_pre_tokenizer("no-such"), std::nullopt);
}

}  // namespace
}  // namespace lanerope::text
