// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lanerope/prompt.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace lanerope::text {

// What turns prompts into tokens: a model's, or a vocabulary's in training.
struct PromptFormat {
  const Tokenizer& tokenizer;
  const ChatTemplates& templates;
  NoTemplate no_template = NoTemplate::refuse;
};

struct RenderedPrompt {
  std::string text = {};
  bool raw = false;      // messages went in without a template
  ChatStyle style = {};  // of the template, where there is one
  Thinking thinking = Thinking::none;
};

// The text of a prompt of messages, or of a text. Throws InvalidRequest for a prompt that is not exactly one
// of text, tokens and messages, for messages that do not go into the template, and for a conversation without
// one; BadFile where there is no template and none is refused, or a broken one.
RenderedPrompt render_prompt(const PromptFormat& format, const Prompt& prompt);

struct EncodedPrompt {
  std::vector<TokenId> tokens = {};
  bool raw = false;
  ChatStyle style = {};
  Thinking thinking = Thinking::none;
};

// Its tokens, with what the model wants in front: once, also where the text begins with it already. Throws as
// render_prompt().
EncodedPrompt encode_prompt(const PromptFormat& format, const Prompt& prompt);

// What stands between an answer to `prompt` and the answer to `text`, the user's next message: the end of the
// one, that message, the beginning of the other, as the chat template has them. The text itself where the
// prompt goes in without a template. Throws as render_prompt(), and InvalidRequest for a template that shows
// no earlier answers.
std::vector<TokenId> encode_next_turn(const PromptFormat& format, const Prompt& prompt,
                                      const std::string& text);

}  // namespace lanerope::text
