// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctime>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "lanerope/prompt.h"
#include "text/chat_style.h"
#include "text/jinja_program.h"
#include "text/vocabulary.h"

namespace lanerope::text {

// Where a template comes from.
struct TemplateSource {
  std::string name = {};  // "chatml", a path, or "the file's"
  std::string jinja = {};
};

// What a template has of the vocabulary it writes for.
struct TemplateTokens {
  std::string bos = {}, eos = {}, unknown = {}, pad = {};  // their names; empty: there is none
  // The tokenizer puts them there, so what the template writes of them at the beginning and the end is taken
  // off.
  bool adds_bos = false, adds_eos = false;
};

TemplateTokens template_tokens(const Vocabulary& vocabulary);

struct RenderOptions {
  bool add_generation_prompt = true;  // end with what the assistant's answer follows
  bool continue_last = false;         // end with the last message, which is the beginning of the answer
  std::string_view tools = {};        // a JSON array
  std::string_view arguments = {};    // a JSON object; beside the template's own, and in front of them
  std::optional<std::time_t> now = {};
};

// A model's chat template, ready to write conversations. Immutable, and copies are cheap; all members may be
// called from any thread.
class ChatTemplate {
 public:
  // `arguments` is a JSON object of variables, or empty. Throws BadFile for a template that cannot be read,
  // InvalidRequest for arguments that are no object or that the template does not read.
  ChatTemplate(TemplateSource source, TemplateTokens tokens, std::string_view arguments = {});

  const TemplateSource& source() const { return source_; }
  const TemplateTokens& tokens() const { return tokens_; }
  const TemplateCapabilities& capabilities() const { return program_.capabilities(); }
  // What it says of the answers.
  const ChatStyle& style() const { return style_; }
  // Whether it reads a variable of this name.
  bool reads(std::string_view variable) const { return program_.mentions(variable); }

  // The conversation as one text, for Tokenizer::encode with add_special and parse_special. Names of control
  // tokens in the content of a message become these tokens there. Throws InvalidRequest for what the template
  // has no place for, for what it refuses itself, and where it is cut off: see text/chat_messages.h and
  // text/jinja_program.h. Nothing is dropped, save the reasoning of past answers.
  std::string render(std::span<const Message> messages, const RenderOptions& options) const;

 private:
  nlohmann::ordered_json variables(std::span<const Message> messages, const RenderOptions& options) const;
  void set_arguments(nlohmann::ordered_json& variables, std::string_view arguments) const;

  TemplateSource source_;
  TemplateTokens tokens_;
  std::string arguments_;
  JinjaProgram program_;
  ChatStyle style_;
};

// The templates of a model.
struct ChatTemplates {
  std::optional<ChatTemplate> chat = {};
  std::optional<ChatTemplate> tool_use = {};  // where the file has one of its own for requests with tools
  std::string obstacle = {};                  // why `chat` is not there, though the file has a template

  // The one for such a request, or nothing.
  const ChatTemplate* choose(bool with_tools) const {
    return with_tools && tool_use ? &*tool_use : chat ? &*chat : nullptr;
  }
};

// A model file's own, of `tokenizer.chat_template` and `tokenizer.chat_template.tool_use`; either may be
// empty. A broken one is no error until it is used. Throws InvalidRequest as ChatTemplate does.
struct TemplateTexts {
  std::string_view chat = {};
  std::string_view tool_use = {};
};
ChatTemplates file_chat_templates(TemplateTexts texts, const TemplateTokens& tokens,
                                  std::string_view arguments);

// `chosen` is a name of builtin_template_names(), a file, a text in Jinja, or empty for the file's own.
// Throws InvalidRequest or BadFile for what was chosen and is none.
ChatTemplates load_chat_templates(const Vocabulary& vocabulary, std::string_view chosen,
                                  std::string_view arguments);

}  // namespace lanerope::text
