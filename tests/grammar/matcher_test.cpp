// SPDX-License-Identifier: Apache-2.0
// A matcher tells which tokens may come next: exactly those that it accepts.
#include <gtest/gtest.h>

#include "tests/grammar/toy_formats.h"

namespace lanerope::grammar {
namespace {

const AnswerFormat object{.kind = FormatKind::json_schema,
                          .text = R"({"type":"object","properties":{"the":{"type":"integer"}},
                                      "required":["the"],"additionalProperties":false})"};

bool bit(std::span<const int32_t> words, TokenId token) {
  return ((static_cast<uint32_t>(words[token / 32]) >> (token % 32)) & 1) != 0;
}

// At every place of a text that the format takes, each token of the vocabulary is allowed just if it is
// accepted, and rows behind the vocabulary never are.
TEST(Matcher, allows_what_it_accepts) {
  Matcher of = matcher(object);
  const std::string text = R"({"the": 123})";
  for (size_t n = 0; n <= text.size(); ++n) {
    const std::span<const int32_t> words = of.allowed();
    ASSERT_FALSE(words.empty());
    for (TokenId token = 0; token < 267; ++token) {
      Matcher other = of.fork();
      EXPECT_EQ(bit(words, token), other.accept(token)) << "at " << n << ", token " << token;
    }
    for (TokenId row = 267; row < toy_rows; ++row) EXPECT_FALSE(bit(words, row));
    if (n == text.size()) break;
    ASSERT_TRUE(of.accept(static_cast<unsigned char>(text[n])));
  }
  EXPECT_TRUE(bit(of.allowed(), toy_end));
}

TEST(Matcher, control_tokens_are_no_text_of_a_format) {
  Matcher of = matcher({.kind = FormatKind::regex, .text = "[^q]*"});
  const std::span<const int32_t> words = of.allowed();
  EXPECT_TRUE(bit(words, 'a'));
  EXPECT_FALSE(bit(words, 'q'));
  EXPECT_FALSE(bit(words, 263));  // <|im_start|>
  EXPECT_FALSE(bit(words, 266));  // <|bos|>
  EXPECT_TRUE(bit(words, 265));   // <tool>, which is text
}

TEST(Matcher, takes_tokens_back) {
  Matcher of = matcher(object);
  ASSERT_EQ(accepted_bytes(of, R"({"the": 1)"), 9);
  of.take_back(1);
  EXPECT_EQ(of.n_accepted(), 8);
  EXPECT_TRUE(of.accept('-'));
}

TEST(Matcher, forks_go_their_own_ways) {
  Matcher one = matcher(object);
  ASSERT_EQ(accepted_bytes(one, R"({"the": 1)"), 9);
  Matcher two = one.fork();
  EXPECT_TRUE(one.accept('}'));
  EXPECT_TRUE(one.completed());
  EXPECT_FALSE(two.completed());
  EXPECT_TRUE(two.accept('2'));
}

TEST(Matcher, a_token_that_does_not_fit_changes_nothing) {
  Matcher of = matcher(object);
  EXPECT_FALSE(of.accept('x'));
  EXPECT_EQ(of.n_accepted(), 0);
  EXPECT_TRUE(of.accept('{'));
  EXPECT_FALSE(of.accept(toy_end));
}

}  // namespace
}  // namespace lanerope::grammar
