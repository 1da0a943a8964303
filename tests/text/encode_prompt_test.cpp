// SPDX-License-Identifier: Apache-2.0
#include "text/encode_prompt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "lanerope/errors.h"
#include "tests/text/toy_vocabulary.h"

namespace lanerope::text {
namespace {

using testing::ElementsAre;

class EncodePrompt : public testing::Test {
 protected:
  PromptFormat with_template() const { return {.tokenizer = tokenizer, .chat = chatml}; }
  PromptFormat without(NoTemplate no_template) const {
    return {.tokenizer = tokenizer, .chat = none, .no_template = no_template};
  }
  std::vector<TokenId> plain(std::string_view text) const {
    return tokenizer.encode(text, {.add_special = true, .parse_special = true});
  }

  Tokenizer tokenizer{std::make_shared<const Vocabulary>(toy_bpe())};
  std::optional<ChatFormat> chatml = ChatFormat{.kind = ChatTemplate::chatml};
  std::optional<ChatFormat> none;
  Prompt question{.messages = {{.role = "user", .content = "the"}}};
};

TEST_F(EncodePrompt, TakesATextAsItIsAndTokensToo) {
  EXPECT_EQ(encode_prompt(with_template(), {.text = "a<|im_end|>"}).tokens, plain("a<|im_end|>"));
  EXPECT_THAT(encode_prompt(with_template(), {.tokens = {7, 8}}).tokens, ElementsAre(7, 8));
}

TEST_F(EncodePrompt, PutsMessagesIntoTheTemplate) {
  const EncodedPrompt encoded = encode_prompt(with_template(), question);
  EXPECT_EQ(encoded.tokens, plain("<|im_start|>user\nthe<|im_end|>\n<|im_start|>assistant\n"));
  EXPECT_FALSE(encoded.raw);
}

TEST_F(EncodePrompt, NeedsExactlyOneOfTextTokensAndMessages) {
  EXPECT_THROW(encode_prompt(with_template(), {}), InvalidRequest);
  EXPECT_THROW(encode_prompt(with_template(), {.text = "a", .tokens = {7}}), InvalidRequest);
  question.text = "a";
  EXPECT_THROW(encode_prompt(with_template(), question), InvalidRequest);
}

TEST_F(EncodePrompt, SaysWhereAMessageGoesInWithoutATemplate) {
  const EncodedPrompt encoded = encode_prompt(without(NoTemplate::raw_with_note), question);
  EXPECT_EQ(encoded.tokens, plain("the"));
  EXPECT_TRUE(encoded.raw);
  EXPECT_FALSE(encode_prompt(without(NoTemplate::raw_with_note), {.text = "the"}).raw)
      << "that is what was asked for";
}

TEST_F(EncodePrompt, RefusesMessagesWithoutATemplateWhereItIsToldTo) {
  EXPECT_THROW(encode_prompt(without(NoTemplate::refuse), question), Error);
}

TEST_F(EncodePrompt, NeverDropsAMessageForWantOfATemplate) {
  question.messages.insert(question.messages.begin(), {.role = "system", .content = "brief"});
  EXPECT_THROW(encode_prompt(without(NoTemplate::raw_with_note), question), InvalidRequest);
}

}  // namespace
}  // namespace lanerope::text
