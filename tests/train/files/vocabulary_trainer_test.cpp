// SPDX-License-Identifier: Apache-2.0
#include "train/files/vocabulary_trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "text/byte_map.h"
#include "text/chat_template.h"
#include "text/pre_tokenizer.h"
#include "text/tokenizer.h"

namespace lanerope::train {
namespace {

using testing::ElementsAre;

text::VocabularyData trained(const std::vector<std::string>& texts, VocabularySize size) {
  VocabularyTrainer trainer;
  for (const std::string& text : texts) trainer.add(text);
  return trainer.train(size);
}

text::Tokenizer tokenizer_of(text::VocabularyData data) {
  return text::Tokenizer(std::make_shared<const text::Vocabulary>(std::move(data)));
}

std::vector<std::string> pieces(const text::Tokenizer& tokenizer, std::string_view text) {
  std::vector<std::string> result;
  for (const TokenId token : tokenizer.encode(text, {})) {
    result.emplace_back(tokenizer.vocabulary().piece(token));
  }
  return result;
}

// Words of at most a few letters, so that many pairs are equally frequent.
std::vector<std::string> small_corpus() {
  std::mt19937 random(7);
  std::vector<std::string> texts;
  for (int i = 0; i < 60; ++i) {
    std::string text;
    for (int word = 0; word < 12; ++word) {
      text += ' ';
      for (unsigned letters = 1 + random() % 7; letters > 0; --letters) text += "abcd\xE9"[random() % 5];
    }
    texts.push_back(text);
  }
  return texts;
}

// Greedy merging from its definition: every word of the corpus as it stands, counted anew for each merge.
std::vector<std::string> naive_merges(const std::vector<std::string>& texts, VocabularySize size) {
  std::map<std::string, int> ids;
  const auto id = [&](const std::string& bytes) {
    return ids.emplace(bytes, static_cast<int>(ids.size())).first->second;
  };
  for (int byte = 0; byte < 256; ++byte) id(std::string(1, static_cast<char>(byte)));

  std::vector<std::vector<std::string>> words;
  for (const std::string& text : texts) {
    for (const std::string_view word : text::PreTokenizer(text::PreTokenizerKind::qwen2).split(text)) {
      std::vector<std::string>& letters = words.emplace_back();
      for (const char c : word) letters.emplace_back(1, c);
    }
  }

  std::vector<std::string> merges;
  while (merges.size() < size.merges) {
    std::map<std::pair<int, int>, size_t> counts;
    std::map<std::pair<int, int>, std::pair<std::string, std::string>> texts_of;
    for (const auto& word : words) {
      for (size_t i = 1; i < word.size(); ++i) {
        const std::pair key = {id(word[i - 1]), id(word[i])};
        ++counts[key];
        texts_of[key] = {word[i - 1], word[i]};
      }
    }
    std::pair<int, int> best;
    size_t most = 0;
    for (const auto& [key, count] : counts) {
      if (count > most) best = key, most = count;
    }
    if (most == 0 || most < size.min_frequency) break;
    const auto& [left, right] = texts_of[best];
    id(left + right);
    merges.push_back(text::map_bytes(left) + " " + text::map_bytes(right));
    for (auto& word : words) {
      for (size_t i = 1; i < word.size(); ++i) {
        if (word[i - 1] != left || word[i] != right) continue;
        word[i - 1] += right;
        word.erase(word.begin() + static_cast<std::ptrdiff_t>(i));
      }
    }
  }
  return merges;
}

TEST(VocabularyTrainer, MergesAsTheNaiveAlgorithmDoes) {
  const std::vector<std::string> texts = small_corpus();
  for (const VocabularySize size : {VocabularySize{.merges = 60}, VocabularySize{.merges = 5},
                                    VocabularySize{.merges = 5000, .min_frequency = 4}}) {
    const std::vector<std::string> merges = trained(texts, size).merges;
    EXPECT_EQ(merges, naive_merges(texts, size));
    EXPECT_GE(merges.size(), 5);
  }
}

TEST(VocabularyTrainer, TheOrderOfTheTextsDoesNotMatter) {
  std::vector<std::string> texts = small_corpus();
  const text::VocabularyData forward = trained(texts, {.merges = 80});
  std::ranges::reverse(texts);
  const text::VocabularyData backward = trained(texts, {.merges = 80});
  EXPECT_EQ(forward.tokens, backward.tokens);
  EXPECT_EQ(forward.merges, backward.merges);
}

TEST(VocabularyTrainer, StopsWhereNoPairIsFrequentEnough) {
  const std::vector<std::string> texts = {"abab", "cd"};
  EXPECT_THAT(trained(texts, {.merges = 10, .min_frequency = 2}).merges, ElementsAre("a b"));
  EXPECT_THAT(trained(texts, {.merges = 10, .min_frequency = 1}).merges, ElementsAre("a b", "c d", "ab ab"));
  EXPECT_THAT(trained(texts, {.merges = 0}).merges, ElementsAre());
}

TEST(VocabularyTrainer, BytesComeFirstThenMergesThenSpecialTokens) {
  const text::VocabularyData data = trained({"aaaa aaaa"}, {.merges = 2});
  ASSERT_EQ(data.tokens.size(), 256u + 2 + 3 + 32);
  for (int byte = 0; byte < 256; ++byte) {
    EXPECT_EQ(text::unmap_bytes(data.tokens[byte]), std::string(1, static_cast<char>(byte)));
  }
  EXPECT_EQ(data.tokens[256], "aa");
  EXPECT_EQ(data.tokens[257], "aaaa");
  EXPECT_EQ(data.tokens[258], "<|endoftext|>");
  EXPECT_EQ(data.pad, 258);
  EXPECT_EQ(data.tokens[259], "<|im_start|>");
  EXPECT_EQ(data.tokens[260], "<|im_end|>");
  EXPECT_EQ(data.eos, 260);
  EXPECT_EQ(data.tokens[261], "<lane1>");
  EXPECT_EQ(data.tokens[292], "<lane32>");
  EXPECT_FALSE(data.bos);

  const text::Vocabulary vocabulary(data);
  EXPECT_EQ(vocabulary.type(260), text::TokenType::control);
  EXPECT_EQ(vocabulary.type(261), text::TokenType::user_defined);
  EXPECT_TRUE(vocabulary.is_end(260));
  EXPECT_FALSE(vocabulary.add_bos());
}

TEST(VocabularyTrainer, NamesOfSpecialTokensAreNoWords) {
  const std::vector<std::string> texts(100, "<|im_start|><lane3><|endoftext|>");
  EXPECT_THAT(trained(texts, {}).merges, ElementsAre());
}

TEST(VocabularyTrainer, TheChatTemplateIsChatMlWithoutASystemMessage) {
  const text::ChatTemplate chat({.name = "trained", .jinja = trained({}, {}).chat_template}, {});
  const std::vector<Message> messages = {{.role = "user", .content = "a"},
                                         {.role = "assistant", .content = "<think>b</think>c"}};
  EXPECT_EQ(chat.render(messages, {}),
            "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n<think>b</"
            "think>c<|im_end|>\n<|im_start|>assistant\n");
}

// The clock of the made task counts tokens, so its generator must know what one is.
TEST(VocabularyTrainer, TheNotationOfTracesHasTheTokensThatItsClockCounts) {
  const std::string trace = "28*3=60+24=84\nsum 241 wait wait+<lane2>572=813\n#### 1188";
  const std::vector<std::string> texts(3, trace);
  const text::Tokenizer tokenizer = tokenizer_of(trained(texts, {.merges = 400}));
  EXPECT_THAT(pieces(tokenizer, trace),
              ElementsAre("2", "8", "*", "3", "=", "6", "0", "+", "2", "4", "=", "8", "4", "\n", "sum", " ",
                          "2", "4", "1", " wait", " wait", "+", "<lane2>", "5", "7", "2", "=", "8", "1", "3",
                          "\n", "####", " ", "1", "1", "8", "8"));
  EXPECT_THAT(pieces(tokenizer, "3:59*5=250-45\nsum 0 wait"),
              ElementsAre("3", ":", "5", "9", "*", "5", "=", "2", "5", "0", "-", "4", "5", "\n", "sum", " ",
                          "0", " wait"));
}

}  // namespace
}  // namespace lanerope::train
