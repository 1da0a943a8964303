// SPDX-License-Identifier: Apache-2.0
#include "text/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "lanerope/errors.h"
#include "tests/text/toy_vocabulary.h"

namespace lanerope::text {
namespace {

using testing::ElementsAre;

Tokenizer make(VocabularyData data) {
  return Tokenizer(std::make_shared<const Vocabulary>(std::move(data)));
}

TEST(Bpe, MergesByRankFromTheLeft) {
  const Tokenizer tokenizer = make(toy_bpe());
  EXPECT_THAT(tokenizer.encode(" the", {}), ElementsAre(258));
  EXPECT_THAT(tokenizer.encode("thth", {}), ElementsAre(256, 256));
  EXPECT_THAT(tokenizer.encode("aaa", {}), ElementsAre(259, 'a'));
  EXPECT_THAT(tokenizer.encode("aaaaaaa", {}), ElementsAre(260, 259, 'a'));
}

TEST(Bpe, NoMergeCrossesAWord) {
  const Tokenizer tokenizer = make(toy_bpe());
  EXPECT_THAT(tokenizer.encode("12", {}), ElementsAre('1', '2')) << "qwen2 takes digits one by one";
}

TEST(Bpe, LlamaTakesWholeWordsThatNoMergeMakes) {
  VocabularyData data = toy_bpe();
  data.merges.erase(data.merges.begin() + 5, data.merges.end());  // "1 2" and "12 3"
  data.pre = "gpt-2";
  EXPECT_THAT(make(data).encode("123", {}), ElementsAre('1', '2', '3'));
  data.pre = "llama-bpe";
  EXPECT_THAT(make(data).encode("123", {.add_special = false}), ElementsAre(262));
}

TEST(Bpe, AByteWithoutATokenBecomesTheReplacementCharacter) {
  VocabularyData data = toy_bpe();
  data.tokens[0xFF] = "unreachable";
  data.tokens[0xC0] = "unreachable too";
  const Tokenizer tokenizer = make(data);
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("a\xFF\xC0z", {}), {}), "a\uFFFD\uFFFDz");
}

// Gemma 4 and a few others: SentencePiece's pieces and bytes, merged by rank.
VocabularyData toy_character_bpe() {
  VocabularyData data = toy_sentencepiece();
  data.model = "gpt2";
  data.pre = "sarvam-moe";
  data.scores = {};
  data.tokens.push_back("\n\n");
  data.types.push_back(static_cast<int32_t>(TokenType::normal));
  data.merges = {"a b", "▁ ab", "▁ a"};
  return data;
}

TEST(Bpe, OfCharactersWritesSpacesAsMarksAndUnknownOnesInBytes) {
  const VocabularyData data = toy_character_bpe();
  const auto id = [&](const std::string& token) {
    return static_cast<TokenId>(std::ranges::find(data.tokens, token) - data.tokens.begin());
  };
  const Tokenizer tokenizer = make(data);
  EXPECT_THAT(tokenizer.encode("ab ab a", {.add_special = false}),
              ElementsAre(id("ab"), id("▁ab"), id("▁a")));
  EXPECT_THAT(tokenizer.encode("éz", {.add_special = false}), ElementsAre(id("é"), id("<0x7A>")));
  EXPECT_THAT(tokenizer.encode("a\n\nb", {.add_special = false}), ElementsAre(id("a"), id("\n\n"), id("b")));
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("a ab\n日", {.add_special = false}), {.special = true}),
            "a ab\n日");
  VocabularyData gemma = data;
  gemma.model = "gemma4";
  gemma.pre = "";
  EXPECT_EQ(make(gemma).encode("ab ab", {.add_special = false}),
            tokenizer.encode("ab ab", {.add_special = false}));
}

TEST(SpecialTokens, ControlTokensAreParsedOnRequestOnly) {
  const Tokenizer tokenizer = make(toy_bpe());
  EXPECT_THAT(tokenizer.encode("a<|im_end|>a", {.parse_special = true}), ElementsAre('a', 264, 'a'));
  EXPECT_EQ(tokenizer.encode("<|im_end|>", {}).size(), std::string("<|im_end|>").size());
}

TEST(SpecialTokens, UserDefinedTokensAreAlwaysFound) {
  const Tokenizer tokenizer = make(toy_bpe());
  EXPECT_THAT(tokenizer.encode("the<tool>the", {}), ElementsAre(257, 265, 257));
}

TEST(SpecialTokens, TheLongestOfTheLeftmostWins) {
  VocabularyData data = toy_bpe();
  for (const char* name : {"<a>", "<a><b>", "<b><c>", "<"}) {
    data.tokens.emplace_back(name);
    data.types.push_back(static_cast<int32_t>(TokenType::control));
  }
  const Tokenizer tokenizer = make(data);
  EXPECT_THAT(tokenizer.encode("<a><b><c>x<ax", {.parse_special = true}),
              ElementsAre(268, 270, 'c', '>', 'x', 270, 'a', 'x'));
}

TEST(SpecialTokens, BeginAndEndAsTheFileAsks) {
  VocabularyData data = toy_bpe();
  data.add_bos = true;
  data.add_eos = true;
  const Tokenizer tokenizer = make(data);
  EXPECT_THAT(tokenizer.encode("a", {.add_special = true}), ElementsAre(266, 'a', 264));
  EXPECT_THAT(tokenizer.encode("", {.add_special = true}), ElementsAre(266, 264));
  EXPECT_THAT(tokenizer.encode("a", {.add_special = false}), ElementsAre('a'));
}

TEST(SentencePiece, PutsASpaceBeforeTheTextAndTakesItAwayAgain) {
  const Tokenizer tokenizer = make(toy_sentencepiece());
  EXPECT_THAT(tokenizer.encode("ab", {}), ElementsAre(1, 265));
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("ab", {}), {}), "ab");
  EXPECT_EQ(tokenizer.decode(tokenizer.encode(" ab", {}), {}), " ab");
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("ab", {}), {.strip_space_prefix = false}), " ab");
  EXPECT_THAT(tokenizer.encode("", {.add_special = false}), ElementsAre());

  VocabularyData data = toy_sentencepiece();
  data.add_space_prefix = false;
  EXPECT_THAT(make(data).encode("ab", {.add_special = false}), ElementsAre(263));
  EXPECT_EQ(make(data).decode(make(data).encode(" ab", {}), {}), " ab");
}

// The ids that Mistral's own encoder gives: each text between control tokens has one space before it.
TEST(SentencePiece, ATextAfterAControlTokenHasOneSpaceBeforeIt) {
  const Tokenizer tokenizer = make(toy_sentencepiece());
  const EncodeOptions options{.add_special = false, .parse_special = true};
  EXPECT_THAT(tokenizer.encode("[INST]ab", options), ElementsAre(269, 265));
  EXPECT_THAT(tokenizer.encode("[INST] ab", options), ElementsAre(269, 265));
  EXPECT_THAT(tokenizer.encode("a<tool>ab", options), ElementsAre(264, 270, 263));
}

TEST(SentencePiece, MergesTheBestScoreFirst) {
  const Tokenizer tokenizer = make(toy_sentencepiece());
  // "ab" (score -263) before "▁a" (-264), which leaves "▁" and "ab" to make "▁ab".
  EXPECT_THAT(tokenizer.encode("ab", {.add_special = false}), ElementsAre(265));
  EXPECT_THAT(tokenizer.encode("aab", {.add_special = false}), ElementsAre(264, 263));
}

TEST(SentencePiece, WhatNoPieceCoversIsSpeltInBytes) {
  const Tokenizer tokenizer = make(toy_sentencepiece());
  EXPECT_THAT(tokenizer.encode("é€\xFF", {.add_special = false}),
              ElementsAre(259, 262, 3 + 0xE2, 3 + 0x82, 3 + 0xAC, 3 + 0xFF));
}

TEST(SentencePiece, TextNeverSpellsAControlToken) {
  const Tokenizer tokenizer = make(toy_sentencepiece());
  EXPECT_THAT(tokenizer.encode("</s>", {.add_special = false}), ElementsAre(259, 267, 268));
}

TEST(SentencePiece, WithoutByteTokensTheUnknownTokenStands) {
  VocabularyData data = toy_sentencepiece();
  for (size_t i = 3; i < 259; ++i) data.types[i] = static_cast<int32_t>(TokenType::unused);
  EXPECT_THAT(make(data).encode("aq", {.add_special = false}), ElementsAre(264, 0));
}

TEST(Decode, ControlTokensAreWrittenOnRequestOnly) {
  const Tokenizer tokenizer = make(toy_bpe());
  const std::vector<TokenId> tokens = {263, 'a', 265, 264};
  EXPECT_EQ(tokenizer.decode(tokens, {}), "a<tool>");
  EXPECT_EQ(tokenizer.decode(tokens, {.special = true}), "<|im_start|>a<tool><|im_end|>");
}

TEST(Decode, AnIdOutsideTheVocabularyIsAnInvalidRequest) {
  const Tokenizer tokenizer = make(toy_bpe());
  const std::vector<TokenId> tokens = {'a', 267};
  EXPECT_THROW(tokenizer.decode(tokens, {}), InvalidRequest);
}

}  // namespace
}  // namespace lanerope::text
