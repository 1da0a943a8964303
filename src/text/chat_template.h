// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lanerope::text {

// The formats of conversations that lanerope writes itself. It has no Jinja engine: the template in the file
// is only searched for what marks each format.
enum class ChatTemplate {
  chatml,               // Qwen, SmolLM2
  llama3,               // Llama 3
  deepseek_r1_distill,  // DeepSeek-R1 and its distillations
  mistral_v1,           // 7B v0.1 and v0.2, Mixtral
  mistral_v3,           // 7B v0.3, Large 2407
  mistral_v3_tekken,    // Nemo
  mistral_v7,           // Large 2411
  mistral_v7_tekken,    // Small 2501
};

std::string_view name(ChatTemplate kind);
std::optional<ChatTemplate> parse_chat_template(std::string_view name);
std::vector<std::string> all_chat_templates();  // by name
std::string allowed_chat_templates();           // "chatml, llama3, ...", for messages

// What models differ in that share a format.
struct ChatFormat {
  ChatTemplate kind = ChatTemplate::chatml;
  std::string default_system =
      {};                       // ChatML: used where the conversation does not begin with a system message
  bool opens_think = false;     // the generation prompt ends with "<think>\n"
  bool can_skip_think = false;  // Qwen3: an empty <think> block switches reasoning off
  bool drops_reasoning =
      false;  // of an assistant message only what follows </think> is shown to the model ...
  bool keeps_last_reasoning = false;  // ... unless the message comes after the last user message
};

// The format that a Jinja template writes; nothing if it is none of ours.
std::optional<ChatFormat> recognise(std::string_view jinja_source);

// The format for a model: `chosen` (a name, from --chat-template) if not empty, else that of the file's
// template. A chosen format that the file's template writes as well keeps the file's particulars. Throws
// InvalidRequest for an unknown name, BadFile if none was chosen and the file has none that is recognised.
ChatFormat chat_format(std::string_view jinja_source, std::string_view chosen);

struct ChatMessage {
  std::string_view role;  // system, user, assistant
  std::string_view content;
};

struct RenderOptions {
  bool add_generation_prompt = true;  // end with what the assistant's answer follows
  bool think = true;                  // false: switch reasoning off, if the format can
};

// The conversation as one text, without the begin token: it is meant for Tokenizer::encode with add_special
// and parse_special. Names of control tokens in the content of a message become these tokens there. Throws
// InvalidRequest for an empty conversation, an unknown role, a system message that the format has no place
// for, and `think = false` with a format that always reasons.
std::string render(const ChatFormat& format, std::span<const ChatMessage> messages, RenderOptions options);

}  // namespace lanerope::text
