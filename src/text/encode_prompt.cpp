// SPDX-License-Identifier: Apache-2.0
#include "text/encode_prompt.h"

#include "lanerope/errors.h"

namespace lanerope::text {

namespace {

void check_one(const Prompt& prompt) {
  const int given =
      (prompt.text.empty() ? 0 : 1) + (prompt.tokens.empty() ? 0 : 1) + (prompt.messages.empty() ? 0 : 1);
  if (given == 0) throw InvalidRequest("the prompt is empty; give the lanes something to answer");
  if (given > 1)
    throw InvalidRequest(
        "a prompt is a text, tokens or messages, and the request gives more than one of them");
}

RenderedPrompt render_messages(const PromptFormat& format, const std::vector<Message>& messages) {
  if (!format.chat && format.no_template == NoTemplate::raw_with_note) {
    if (messages.size() != 1 || messages.front().role != "user") {
      throw InvalidRequest(
          "a system message or a conversation needs a chat template, and the model has none that lanerope "
          "knows; "
          "leave it out or name a template with --chat-template");
    }
    return {.text = messages.front().content, .raw = true};
  }
  // chat_format says what is wrong where there is none.
  const ChatFormat chat = format.chat ? *format.chat : chat_format(format.template_source, "");
  std::vector<ChatMessage> views;
  for (const Message& message : messages) views.push_back({.role = message.role, .content = message.content});
  return {.text = render(chat, views, {})};
}

}  // namespace

RenderedPrompt render_prompt(const PromptFormat& format, const Prompt& prompt) {
  check_one(prompt);
  if (!prompt.messages.empty()) return render_messages(format, prompt.messages);
  if (!prompt.tokens.empty()) return {.text = format.tokenizer.decode(prompt.tokens, {.special = true})};
  return {.text = prompt.text};
}

EncodedPrompt encode_prompt(const PromptFormat& format, const Prompt& prompt) {
  if (!prompt.tokens.empty()) {
    check_one(prompt);
    return {.tokens = prompt.tokens};
  }
  const RenderedPrompt rendered = render_prompt(format, prompt);
  return {.tokens = format.tokenizer.encode(rendered.text, {.add_special = true, .parse_special = true}),
          .raw = rendered.raw};
}

}  // namespace lanerope::text
