// SPDX-License-Identifier: Apache-2.0
// Real vocabularies against the ids that llama.cpp gives.
#include <gtest/gtest.h>

#include <memory>

#include "tests/text/vocabulary_file.h"
#include "text/tokenizer.h"

namespace lanerope::text {
namespace {

constexpr size_t n_vectors = 46;

void expect_vectors(const std::string& name, VocabularyData data) {
  const auto vectors = shared_vectors(name);
  if (!vectors) GTEST_SKIP() << "no " << name << " vectors in ../shared/data/vocab";
  EXPECT_EQ(vectors->size(), n_vectors);
  const Tokenizer tokenizer(std::make_shared<const Vocabulary>(std::move(data)));
  for (const Vector& vector : *vectors) {
    const auto tokens = tokenizer.encode(vector.text, {.add_special = false});
    EXPECT_EQ(tokens, vector.tokens) << vector.text;
    EXPECT_EQ(tokenizer.decode(tokens, {}), vector.text);
  }
}

TEST(Vectors, Gpt2) {
  auto data = shared_vocabulary("gpt-2");
  if (!data) GTEST_SKIP() << "no gpt-2.gguf in ../shared/data/vocab";
  EXPECT_EQ(data->tokens.size(), 50257);
  EXPECT_EQ(data->merges.size(), 50000);
  expect_vectors("gpt-2", std::move(*data));
}

TEST(Vectors, Phi3) {
  auto data = shared_vocabulary("phi-3");
  if (!data) GTEST_SKIP() << "no phi-3.gguf in ../shared/data/vocab";
  EXPECT_EQ(data->tokens.size(), 32064);
  expect_vectors("phi-3", std::move(*data));
}

TEST(Vectors, Qwen2) {
  auto data = qwen2_vocabulary();
  if (!data) GTEST_SKIP() << "no vocabulary of Qwen2: script/lib/fetch-qwen2-vocabulary fetches it";
  EXPECT_EQ(data->tokens.size(), 151665);
  expect_vectors("qwen2", std::move(*data));
}

}  // namespace
}  // namespace lanerope::text
