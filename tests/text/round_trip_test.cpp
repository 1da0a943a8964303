// SPDX-License-Identifier: Apache-2.0
// Properties of encode and decode on random texts, with a merge by the definition as the reference.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <random>
#include <thread>

#include "tests/text/toy_vocabulary.h"
#include "tests/text/vocabulary_file.h"
#include "text/detokenizer.h"
#include "text/tokenizer.h"
#include "text/utf8.h"

namespace lanerope::text {
namespace {

// gpt-2 and phi-3 are read once for all cases.
std::shared_ptr<const Vocabulary> vocabulary(const std::string& name) {
  static std::map<std::string, std::shared_ptr<const Vocabulary>> loaded;
  if (loaded.contains(name)) return loaded[name];
  std::optional<VocabularyData> data;
  if (name == "toy-bpe") data = toy_bpe();
  if (name == "toy-sentencepiece") data = toy_sentencepiece();
  if (name == "qwen2") data = qwen2_vocabulary();
  if (name == "gpt-2" || name == "phi-3") data = shared_vocabulary(name);
  if (!data) return nullptr;
  return loaded[name] = std::make_shared<const Vocabulary>(std::move(*data));
}

class Texts {
 public:
  explicit Texts(uint32_t seed) : random_(seed) {}

  size_t below(size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random_); }

  std::string bytes(size_t size) {
    std::string text(size, '\0');
    for (char& byte : text) byte = static_cast<char>(below(256));
    return text;
  }

  // Words, digits, white space and characters from everywhere, but not U+2581.
  std::string unicode(size_t size) {
    static const std::vector<std::string> parts = {
        " ",      "  ",         "\n",      "\r\n",   "\t",
        "the",    " the",       "'s",      "'LL",    "12",
        "3.14",   "žluť",       "日本",    "語",     std::string(1, '\0'),
        "한국",   "\U0001F600", "\u200d",  "\u00a0", "٣",
        "don't",  "_x",         "==",      "aaaa",   "</s>",
        "<s>",    "▂",          "e\u0301", "İ",      "Ǆ",
        "\u180e", "\u2028",     "!?",      "A",      "<|im_end|>"};
    std::string text;
    for (size_t i = 0; i < size; ++i) text += parts[below(parts.size())];
    return text;
  }

 private:
  std::mt19937 random_;
};

class RoundTrip : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (!vocabulary(GetParam())) GTEST_SKIP() << "no vocabulary of " << GetParam();
  }
};

TEST_P(RoundTrip, AnyBytes) {
  const Tokenizer tokenizer(vocabulary(GetParam()));
  Texts texts(1);
  for (int round = 0; round < 400; ++round) {
    const std::string text = round % 2 ? texts.bytes(texts.below(60)) : texts.unicode(texts.below(60));
    const auto tokens = tokenizer.encode(text, {.add_special = false});
    ASSERT_EQ(tokenizer.decode(tokens, {.special = true}), text) << quoted(text);
  }
}

TEST_P(RoundTrip, StreamedTextIsTheWholeTextAndAlwaysWholeCharacters) {
  const auto shared = vocabulary(GetParam());
  const Tokenizer tokenizer(shared);
  Texts texts(2);
  for (int round = 0; round < 200; ++round) {
    // Any tokens in any order: characters break off everywhere.
    std::vector<TokenId> tokens(texts.below(40));
    for (TokenId& token : tokens)
      token = static_cast<TokenId>(texts.below(std::min<size_t>(shared->size(), 600)));
    for (const bool special : {false, true}) {
      Detokenizer stream(shared, {.special = special});
      std::string streamed;
      for (const TokenId token : tokens) {
        const std::string text = stream.push(token);
        ASSERT_TRUE(is_utf8(text));
        streamed += text;
      }
      streamed += stream.flush();
      Utf8Assembler assembler;
      std::string whole =
          assembler.push(tokenizer.decode(tokens, {.special = special, .strip_space_prefix = false}));
      whole += assembler.flush();
      ASSERT_EQ(streamed, whole);
    }
  }
}

TEST_P(RoundTrip, ManyThreadsMayShareOneTokenizer) {
  const Tokenizer tokenizer(vocabulary(GetParam()));
  Texts texts(5);
  const std::string text = texts.unicode(2000) + texts.bytes(2000);
  const auto expected = tokenizer.encode(text, {});
  std::array<std::vector<TokenId>, 4> found;
  {
    std::vector<std::jthread> threads;
    threads.reserve(found.size());
    for (auto& mine : found) {
      threads.emplace_back([&] {
        for (int round = 0; round < 5; ++round) mine = tokenizer.encode(text, {});
      });
    }
  }
  for (const auto& tokens : found) EXPECT_EQ(tokens, expected);
}

// 1 MB of each takes a fraction of a second; ten seconds leave room for sanitizers and busy machines.
TEST_P(RoundTrip, OneMegabyteIsNotQuadratic) {
  const Tokenizer tokenizer(vocabulary(GetParam()));
  constexpr size_t size = 1 << 20;
  Texts texts(3);
  std::string mixed;
  while (mixed.size() < size) mixed += texts.unicode(1000);
  std::vector<std::string> inputs = {mixed, texts.bytes(size)};
  for (const char* unit : {"a", " ", "<", "ab", "<|im_start", "日"}) {
    std::string text;
    while (text.size() < size) text += unit;
    inputs.push_back(text);
  }
  for (const std::string& text : inputs) {
    const auto begin = std::chrono::steady_clock::now();
    const auto tokens = tokenizer.encode(text, {.add_special = false, .parse_special = true});
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    EXPECT_LT(seconds.count(), 10) << quoted(text);
    EXPECT_FALSE(tokens.empty());
  }
}

INSTANTIATE_TEST_SUITE_P(Vocabularies, RoundTrip,
                         testing::Values("toy-bpe", "toy-sentencepiece", "gpt-2", "phi-3", "qwen2"));

// Merging by the definition: the pair of lowest rank anywhere in the word, the leftmost of it, until there is
// none.
std::vector<std::string> merged(const std::string& word,
                                const std::map<std::pair<std::string, std::string>, int>& ranks) {
  std::vector<std::string> parts;
  for (const char byte : word) parts.push_back(mapped_byte(static_cast<unsigned char>(byte)));
  while (true) {
    size_t best = 0;
    int best_rank = -1;
    for (size_t i = 1; i < parts.size(); ++i) {
      const auto found = ranks.find({parts[i - 1], parts[i]});
      if (found == ranks.end() || (best_rank >= 0 && found->second >= best_rank)) continue;
      best = i;
      best_rank = found->second;
    }
    if (best_rank < 0) return parts;
    parts[best - 1] += parts[best];
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(best));
  }
}

TEST(Bpe, AgreesWithMergingByTheDefinition) {
  const auto data = shared_vocabulary("gpt-2");
  if (!data) GTEST_SKIP() << "no gpt-2.gguf in ../shared/data/vocab";
  std::map<std::pair<std::string, std::string>, int> ranks;
  for (const std::string& merge : data->merges) {
    const size_t space = merge.find(' ');
    ranks.emplace(std::pair(merge.substr(0, space), merge.substr(space + 1)), static_cast<int>(ranks.size()));
  }
  const Tokenizer tokenizer(vocabulary("gpt-2"));
  Texts texts(4);
  const std::string letters = "etaoinshrdlu";
  for (int round = 0; round < 2000; ++round) {
    std::string word = round % 2 ? " " : "";
    for (size_t i = 0, n = 1 + texts.below(30); i < n; ++i) word += letters[texts.below(letters.size())];
    std::vector<std::string> found;
    for (const TokenId token : tokenizer.encode(word, {}))
      found.push_back(data->tokens[static_cast<size_t>(token)]);
    ASSERT_EQ(found, merged(word, ranks)) << word;
  }
}

}  // namespace
}  // namespace lanerope::text
