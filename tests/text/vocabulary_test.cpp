// SPDX-License-Identifier: Apache-2.0
#include "text/vocabulary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <ostream>

#include "lanerope/errors.h"
#include "tests/text/toy_vocabulary.h"

namespace lanerope::text {
namespace {

using testing::HasSubstr;

TEST(Vocabulary, PiecesAreBytes) {
  const Vocabulary bpe(toy_bpe());
  for (int byte = 0; byte < 256; ++byte) EXPECT_EQ(bpe.piece(byte), std::string(1, static_cast<char>(byte)));
  EXPECT_EQ(bpe.piece(258), " the");
  EXPECT_EQ(bpe.piece(263), "<|im_start|>");

  const Vocabulary spm(toy_sentencepiece());
  EXPECT_EQ(spm.piece(3 + 0x0A), "\n");
  EXPECT_EQ(spm.piece(265), " ab");
}

TEST(Vocabulary, TextIsFoundByBytesAndSpecialTokensByName) {
  const Vocabulary bpe(toy_bpe());
  EXPECT_EQ(bpe.find(" the"), 258);
  EXPECT_EQ(bpe.find("<|im_end|>"), std::nullopt);
  EXPECT_EQ(bpe.find_special("<|im_end|>"), 264);
  EXPECT_EQ(bpe.find_special("the"), std::nullopt);
}

TEST(Vocabulary, EndsByIdAndByName) {
  VocabularyData data = toy_bpe();
  data.eos = 263;
  data.eot = 262;
  const Vocabulary vocabulary(std::move(data));
  EXPECT_TRUE(vocabulary.is_end(263));
  EXPECT_TRUE(vocabulary.is_end(262));
  EXPECT_TRUE(vocabulary.is_end(264)) << "<|im_end|>";
  EXPECT_FALSE(vocabulary.is_end(266));
  EXPECT_FALSE(vocabulary.is_end(97));
}

TEST(Vocabulary, AnEndTokenByNameIsAControlTokenWhateverTheFileSays) {
  VocabularyData data = toy_bpe();
  data.types[264] = static_cast<int32_t>(TokenType::normal);
  data.eos.reset();
  const Vocabulary vocabulary(std::move(data));
  EXPECT_EQ(vocabulary.type(264), TokenType::control);
  EXPECT_TRUE(vocabulary.is_end(264));
}

TEST(Vocabulary, GptOssEndsItsTurnsAndNotItsMessages) {
  VocabularyData data = toy_bpe();
  data.tokens[263] = "<|end|>";
  EXPECT_TRUE(Vocabulary(data).is_end(263));
  data.tokens[265] = "<|call|>";
  data.tokens[264] = "<|return|>";
  const Vocabulary vocabulary(std::move(data));
  EXPECT_FALSE(vocabulary.is_end(263));
  EXPECT_TRUE(vocabulary.is_end(264) && vocabulary.is_end(265));
}

TEST(Vocabulary, APreTokenizerThatIsNotNamedIsTheDefault) {
  VocabularyData data = toy_bpe();
  data.pre = "";
  EXPECT_EQ(Vocabulary(data).pre_tokenizer(), PreTokenizerKind::unnamed);
  data.pre = "default";
  EXPECT_EQ(Vocabulary(data).pre_tokenizer(), PreTokenizerKind::unnamed);
}

TEST(Vocabulary, BeginTokenByDefaultOnlyWhereTheModelWantsOne) {
  VocabularyData data = toy_bpe();
  EXPECT_FALSE(Vocabulary(data).add_bos());
  data.pre = "llama-bpe";
  EXPECT_TRUE(Vocabulary(data).add_bos());
  data.add_bos = false;
  EXPECT_FALSE(Vocabulary(data).add_bos());
  EXPECT_TRUE(Vocabulary(toy_sentencepiece()).add_bos());
}

TEST(Vocabulary, MinusOneIsNoToken) {
  VocabularyData data = toy_bpe();
  data.pad = 0xFFFFFFFF;
  data.bos = -1;
  EXPECT_EQ(Vocabulary(std::move(data)).bos(), std::nullopt);
}

TEST(Vocabulary, IdsOutsideAreInvalidRequests) {
  const Vocabulary vocabulary(toy_bpe());
  for (const TokenId token :
       {-1, 267, std::numeric_limits<TokenId>::max(), std::numeric_limits<TokenId>::min()}) {
    EXPECT_FALSE(vocabulary.contains(token));
    EXPECT_THROW(vocabulary.piece(token), InvalidRequest);
    EXPECT_THROW(vocabulary.is_end(token), InvalidRequest);
  }
}

struct Damage {
  std::string name;
  std::function<void(VocabularyData&)> apply;
  std::string expected;  // in the message
};

void PrintTo(const Damage& damage, std::ostream* out) {
  *out << damage.name;
}

void expect_refused(VocabularyData data, const Damage& damage) {
  damage.apply(data);
  try {
    const Vocabulary vocabulary(std::move(data));
    FAIL() << "accepted";
  } catch (const BadFile& error) {
    EXPECT_THAT(error.what(), HasSubstr(damage.expected));
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    EXPECT_LT(std::string(error.what()).size(), 500);
  }
}

class HostileBpe : public testing::TestWithParam<Damage> {};
TEST_P(HostileBpe, IsABadFile) {
  expect_refused(toy_bpe(), GetParam());
}

using Data = VocabularyData;
INSTANTIATE_TEST_SUITE_P(
    Vocabulary, HostileBpe,
    testing::Values(
        Damage{"model", [](Data& d) { d.model = "bert\n"; }, R"("bert\x0A")"},
        Damage{"pre", [](Data& d) { d.pre = "other"; }, R"("other")"},
        Damage{"word_piece", [](Data& d) { d.model = "bert"; }, "WordPiece (\"bert\")"},
        Damage{"unigram", [](Data& d) { d.model = "t5"; }, "Unigram (\"t5\")"},
        Damage{"no_tokens", [](Data& d) { d.tokens = {}, d.types = {}; }, "empty"},
        Damage{"empty_token", [](Data& d) { d.tokens[99] = ""; }, "number 99"},
        Damage{"giant_token", [](Data& d) { d.tokens[9].assign(1 << 20, 'x'); }, "1048576 bytes"},
        Damage{"few_types", [](Data& d) { d.types.pop_back(); }, "266 token types"},
        Damage{"bad_type", [](Data& d) { d.types[5] = 7; }, "type 7"},
        Damage{"no_type", [](Data& d) { d.types[5] = 0; }, "type 0"},
        Damage{"few_scores", [](Data& d) { d.scores = {1}; }, "1 scores"},
        Damage{"bos", [](Data& d) { d.bos = 267; }, "number 267 of 267"},
        Damage{"eos", [](Data& d) { d.eos = -2; }, "number -2"},
        Damage{"eot", [](Data& d) { d.eot = int64_t{1} << 40; }, "1099511627776"},
        Damage{"no_bos", [](Data& d) { d.bos.reset(), d.add_bos = true; }, "begin token"},
        Damage{"no_eos", [](Data& d) { d.eos.reset(), d.add_eos = true; }, "end token"},
        Damage{"merge_empty", [](Data& d) { d.merges[0] = ""; }, "\"\""},
        Damage{"merge_alone", [](Data& d) { d.merges[0] = "th"; }, "\"th\""},
        Damage{"merge_left", [](Data& d) { d.merges[0] = "t "; }, "\"t \""},
        Damage{"merge_unknown_part", [](Data& d) { d.merges[0] = "zz e"; }, "\"zz\" is not a token"},
        Damage{"merge_unknown_result", [](Data& d) { d.merges[0] = "z e"; }, "\"ze\" is not a token"},
        Damage{"merge_special", [](Data& d) { d.merges[0] = "<|im_start|> e"; }, "is not a token"},
        Damage{"byte_name", [](Data& d) { d.types[5] = 6; }, "byte token"}),
    [](const auto& test) { return test.param.name; });

class HostileSentencePiece : public testing::TestWithParam<Damage> {};
TEST_P(HostileSentencePiece, IsABadFile) {
  expect_refused(toy_sentencepiece(), GetParam());
}

INSTANTIATE_TEST_SUITE_P(
    Vocabulary, HostileSentencePiece,
    testing::Values(
        Damage{"no_scores", [](Data& d) { d.scores = {}; }, "0 scores"},
        Damage{"nan_score", [](Data& d) { d.scores[7] = std::numeric_limits<float>::quiet_NaN(); }, "finite"},
        Damage{"inf_score", [](Data& d) { d.scores[7] = std::numeric_limits<float>::infinity(); }, "finite"},
        Damage{"byte_name", [](Data& d) { d.tokens[9] = "<0xG0>"; }, "<0xG0>"},
        Damage{"no_way_to_write_a_byte", [](Data& d) { d.types[9] = 1, d.unknown.reset(); }, "byte 6"}),
    [](const auto& test) { return test.param.name; });

// Vocabularies that were trained on web pages have "</s>" as a word that merges make.
TEST(Vocabulary, AWordThatLooksLikeAnEndIsAWord) {
  VocabularyData data = toy_bpe();
  const auto end = static_cast<TokenId>(data.tokens.size());
  data.tokens.emplace_back("</s>");
  data.tokens.emplace_back("</");
  data.tokens.emplace_back("s>");
  data.types.insert(data.types.end(), 3, static_cast<int32_t>(TokenType::normal));
  data.merges.insert(data.merges.end(), {"< /", "s >", "</ s>"});
  const Vocabulary vocabulary(data);
  EXPECT_EQ(vocabulary.find("</s>"), end);
  EXPECT_FALSE(vocabulary.is_end(end));
  data.types[end] = static_cast<int32_t>(TokenType::control);
  data.merges.pop_back();
  EXPECT_TRUE(Vocabulary(data).is_end(end));
}

}  // namespace
}  // namespace lanerope::text
