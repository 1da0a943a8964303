// SPDX-License-Identifier: Apache-2.0
// The clock of the made task counts tokens: what its generator takes for one must be one of the vocabulary
// that is trained on its texts.
#include <gtest/gtest.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/random_stream.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"
#include "toy/traces.h"
#include "toy/word_problem.h"
#include "train/files/vocabulary_trainer.h"

namespace lanerope::train {
namespace {

// docs/data.md: a lane tag, "sum", " wait" and "####" are one token each, and so is every other character.
std::vector<std::string> by_the_rule(std::string_view text) {
  std::vector<std::string> tokens;
  while (!text.empty()) {
    size_t size = 1;
    for (const std::string_view word : {"sum", " wait", "####"}) {
      if (text.starts_with(word)) size = word.size();
    }
    if (text.starts_with("<lane")) size = text.find('>') + 1;
    tokens.emplace_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return tokens;
}

TEST(TraceTokens, AreTheTokensOfTheTrainedVocabulary) {
  const toy::WordProblemSource source({}, toy::Split::train);
  data::RandomStream random(1);
  const text::ChatTemplate chat({.name = "trained", .jinja = std::string(trained_chat_template())}, {});
  VocabularyTrainer trainer;
  std::vector<std::string> texts;
  for (int i = 0; i < 300; ++i) {
    const data::Trace trace =
        toy::make_trace(source.draw(static_cast<int32_t>(random.between(1, 8)), random), 1 + i % 9);
    const Message question{.role = "user", .content = trace.question};
    trainer.add(chat.render(std::span(&question, 1), {}));
    for (const std::string& lane : trace.lanes) {
      trainer.add(lane);
      texts.push_back(lane);
    }
  }
  const text::Tokenizer tokenizer(std::make_shared<const text::Vocabulary>(trainer.train({.merges = 400})));
  for (const std::string& text : texts) {
    std::vector<std::string> pieces;
    for (const TokenId token : tokenizer.encode(text, {})) {
      pieces.emplace_back(tokenizer.vocabulary().piece(token));
    }
    ASSERT_EQ(pieces, by_the_rule(text)) << text;
  }
}

}  // namespace
}  // namespace lanerope::train
