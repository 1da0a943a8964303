// SPDX-License-Identifier: Apache-2.0
#include "text/encode_prompt.h"

#include "lanerope/errors.h"
#include "text/builtin_templates.h"

namespace lanerope::text {

namespace {

void check_one(const Prompt& prompt) {
  const int given =
      (prompt.text.empty() ? 0 : 1) + (prompt.tokens.empty() ? 0 : 1) + (prompt.messages.empty() ? 0 : 1);
  if (given == 0) throw InvalidRequest("the prompt is empty; give the lanes something to answer");
  if (given > 1)
    throw InvalidRequest(
        "a prompt is a text, tokens or messages, and the request gives more than one of them");
  const bool for_template =
      !prompt.tools.empty() || !prompt.template_arguments.empty() || prompt.continue_last;
  if (for_template && prompt.messages.empty())
    throw InvalidRequest(
        "tools and arguments of the chat template go with messages; send messages, or leave them out");
}

void check_raw(const Prompt& prompt) {
  const Message& message = prompt.messages.front();
  if (prompt.messages.size() == 1 && message.role == "user" && message.parts.empty() &&
      prompt.tools.empty() && prompt.template_arguments.empty() && !prompt.continue_last) {
    return;
  }
  throw InvalidRequest(
      "a system message, a conversation or tools need a chat template, and the model has none; leave them "
      "out or name "
      "a template with --chat-template");
}

RenderedPrompt render_messages(const PromptFormat& format, const Prompt& prompt) {
  const ChatTemplate* chat = format.templates.choose(!prompt.tools.empty());
  if (chat != nullptr) {
    RenderedPrompt rendered{.text = chat->render(prompt.messages, {.continue_last = prompt.continue_last,
                                                                   .tools = prompt.tools,
                                                                   .arguments = prompt.template_arguments}),
                            .style = chat->style()};
    rendered.thinking = thinking_behind(rendered.text, rendered.style.thinking);
    return rendered;
  }
  if (!format.templates.obstacle.empty()) throw BadFile(format.templates.obstacle);
  if (format.no_template == NoTemplate::refuse) {
    throw InvalidRequest("the model has no chat template; choose one with --chat-template: " +
                         allowed_builtin_templates());
  }
  check_raw(prompt);
  return {.text = prompt.messages.front().content, .raw = true};
}

}  // namespace

RenderedPrompt render_prompt(const PromptFormat& format, const Prompt& prompt) {
  check_one(prompt);
  if (!prompt.messages.empty()) return render_messages(format, prompt);
  if (!prompt.tokens.empty()) return {.text = format.tokenizer.decode(prompt.tokens, {.special = true})};
  return {.text = prompt.text};
}

EncodedPrompt encode_prompt(const PromptFormat& format, const Prompt& prompt) {
  if (!prompt.tokens.empty()) {
    check_one(prompt);
    return {.tokens = prompt.tokens};
  }
  const RenderedPrompt rendered = render_prompt(format, prompt);
  EncodedPrompt encoded{
      .tokens = format.tokenizer.encode(rendered.text, {.add_special = true, .parse_special = true}),
      .raw = rendered.raw,
      .style = rendered.style,
      .thinking = rendered.thinking};
  const Vocabulary& vocabulary = format.tokenizer.vocabulary();
  std::vector<TokenId>& tokens = encoded.tokens;
  if (vocabulary.add_bos() && tokens.size() > 1 && tokens[1] == *vocabulary.bos())
    tokens.erase(tokens.begin());
  return encoded;
}

std::vector<TokenId> encode_next_turn(const PromptFormat& format, const Prompt& prompt,
                                      const std::string& text) {
  const auto encode = [&](const std::string& words) {
    return format.tokenizer.encode(words, {.add_special = false, .parse_special = true});
  };
  const ChatTemplate* chat =
      prompt.messages.empty() ? nullptr : format.templates.choose(!prompt.tools.empty());
  if (chat == nullptr) return encode(text);
  // A word that stands for the answer, whatever it will be.
  const std::string answer = "anANSWERhere";
  std::vector<Message> messages = prompt.messages;
  if (prompt.continue_last) {
    messages.back().content += answer;
  } else {
    messages.push_back({.role = "assistant", .content = answer});
  }
  messages.push_back({.role = "user", .content = text});
  const std::string rendered =
      chat->render(messages, {.tools = prompt.tools, .arguments = prompt.template_arguments});
  const size_t at = rendered.rfind(answer);
  if (at == std::string::npos) {
    throw InvalidRequest(
        "the model's chat template shows no earlier answer, so nothing can follow one; send a prompt that is "
        "a "
        "text");
  }
  return encode(rendered.substr(at + answer.size()));
}

}  // namespace lanerope::text
