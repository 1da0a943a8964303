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
  PromptFormat with_template() const { return {.tokenizer = tokenizer, .templates = chatml}; }
  PromptFormat without(NoTemplate no_template) const {
    return {.tokenizer = tokenizer, .templates = none, .no_template = no_template};
  }
  std::vector<TokenId> plain(std::string_view text) const {
    return tokenizer.encode(text, {.add_special = true, .parse_special = true});
  }

  Tokenizer tokenizer{std::make_shared<const Vocabulary>(toy_bpe())};
  ChatTemplates chatml = load_chat_templates(tokenizer.vocabulary(), "chatml", "");
  ChatTemplates none;
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

TEST_F(EncodePrompt, PutsTheNextMessageBehindAnAnswerThatIsStillToCome) {
  const auto bare = [this](std::string_view text) {
    return tokenizer.encode(text, {.add_special = false, .parse_special = true});
  };
  EXPECT_EQ(encode_next_turn(with_template(), question, "a"),
            bare("<|im_end|>\n<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n"));
  Prompt begun = question;
  begun.messages.push_back({.role = "assistant", .content = "the"});
  begun.continue_last = true;
  EXPECT_EQ(encode_next_turn(with_template(), begun, "a"), encode_next_turn(with_template(), question, "a"));
  EXPECT_EQ(encode_next_turn(with_template(), {.text = "the"}, "a"), bare("a")) << "no messages, no turns";
  EXPECT_EQ(encode_next_turn(without(NoTemplate::raw_with_note), question, "a"), bare("a"));
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
  EXPECT_THROW(encode_prompt(without(NoTemplate::refuse), question), InvalidRequest);
}

TEST_F(EncodePrompt, ABrokenTemplateIsNoneThatMayBeMissing) {
  none.obstacle = "the chat template cannot be read";
  EXPECT_THROW(encode_prompt(without(NoTemplate::raw_with_note), question), BadFile);
}

TEST_F(EncodePrompt, ToolsAndArgumentsGoWithMessages) {
  EXPECT_THROW(encode_prompt(with_template(), {.text = "a", .tools = "[]"}), InvalidRequest);
  EXPECT_THROW(encode_prompt(with_template(), {.text = "a", .template_arguments = "{}"}), InvalidRequest);
  question.tools = "[{}]";
  EXPECT_THROW(encode_prompt(with_template(), question), InvalidRequest) << "ChatML has no place for them";
  EXPECT_THROW(encode_prompt(without(NoTemplate::raw_with_note), question), InvalidRequest);
}

TEST_F(EncodePrompt, PutsTheBeginTokenInFrontOnce) {
  VocabularyData data = toy_bpe();
  data.add_bos = true;
  const Tokenizer adding{std::make_shared<const Vocabulary>(data)};
  const TokenId bos = *adding.vocabulary().bos();
  const ChatTemplates writes =
      load_chat_templates(adding.vocabulary(), "{{ bos_token + messages[0].content }}", "");
  const PromptFormat format{.tokenizer = adding, .templates = writes};
  const std::vector<TokenId> wanted = adding.encode("the", {});
  ASSERT_EQ(wanted.front(), bos);
  EXPECT_EQ(encode_prompt(format, question).tokens, wanted);
  EXPECT_EQ(render_prompt(format, question).text, "the");
  EXPECT_EQ(encode_prompt(format, {.text = "<|bos|>the"}).tokens, wanted)
      << "as templates of other programs write it";
  EXPECT_EQ(encode_prompt(format, {.text = "the"}).tokens, wanted);
}

TEST_F(EncodePrompt, NeverDropsAMessageForWantOfATemplate) {
  question.messages.insert(question.messages.begin(), {.role = "system", .content = "brief"});
  EXPECT_THROW(encode_prompt(without(NoTemplate::raw_with_note), question), InvalidRequest);
}

}  // namespace
}  // namespace lanerope::text
