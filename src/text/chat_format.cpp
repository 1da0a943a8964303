// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "core/enum_table.h"
#include "lanerope/errors.h"
#include "text/chat_template.h"
#include "text/utf8.h"

namespace lanerope::text {

namespace {

constexpr auto templates = core::enum_table<ChatTemplate, 8>({
    {ChatTemplate::chatml, "chatml"},
    {ChatTemplate::llama3, "llama3"},
    {ChatTemplate::deepseek_r1_distill, "deepseek-r1-distill"},
    {ChatTemplate::mistral_v1, "mistral-v1"},
    {ChatTemplate::mistral_v3, "mistral-v3"},
    {ChatTemplate::mistral_v3_tekken, "mistral-v3-tekken"},
    {ChatTemplate::mistral_v7, "mistral-v7"},
    {ChatTemplate::mistral_v7_tekken, "mistral-v7-tekken"},
});

// A line break is written as "\n" in a string of Jinja and as itself outside of one.
constexpr std::array<std::string_view, 2> line_breaks = {"\\n", "\n"};

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// `prompt` "<think>" line break, and no more in the same string: the model is left to write the reasoning.
bool opens_think(std::string_view source, std::string_view prompt) {
  for (const std::string_view line_break : line_breaks) {
    const std::string marker = std::string(prompt) + "<think>" + std::string(line_break);
    for (size_t at = source.find(marker); at != std::string_view::npos; at = source.find(marker, at + 1)) {
      const std::string_view rest = source.substr(at + marker.size());
      if (!rest.starts_with(line_break) && !rest.starts_with("</think>")) return true;
    }
  }
  return false;
}

// What a string of Jinja that goes on with `rest` holds up to `end`; nothing if the string ends before that.
std::optional<std::string> string_until(std::string_view rest, std::string_view end, char quote) {
  std::string text;
  for (size_t i = 0; i < rest.size(); ++i) {
    if (rest.substr(i).starts_with(end)) return text;
    if (rest[i] == quote) return std::nullopt;
    if (rest[i] == '\\' && i + 1 < rest.size()) {
      ++i;
      text += rest[i] == 'n' ? '\n' : rest[i] == 't' ? '\t' : rest[i];
    } else {
      text += rest[i];
    }
  }
  return std::nullopt;
}

// The same outside of strings, where braces begin code.
std::optional<std::string> plain_until(std::string_view rest, std::string_view end) {
  const std::string_view text = rest.substr(0, rest.find(end));
  if (text.size() == rest.size() || contains(text, "{{") || contains(text, "{%")) return std::nullopt;
  return std::string(text);
}

// The system message that is written out in a ChatML template.
std::string default_system(std::string_view source) {
  constexpr std::string_view begin = "<|im_start|>system";
  constexpr std::string_view end = "<|im_end|>";
  for (size_t at = source.find(begin); at != std::string_view::npos; at = source.find(begin, at + 1)) {
    const char before = at > 0 ? source[at - 1] : ' ';
    const bool in_string = before == '\'' || before == '"';
    std::string_view rest = source.substr(at + begin.size());
    const std::string_view line_break = rest.starts_with("\n") ? line_breaks[1] : line_breaks[0];
    if (!rest.starts_with(line_break)) continue;
    rest.remove_prefix(line_break.size());
    const auto text = in_string ? string_until(rest, end, before) : plain_until(rest, end);
    if (text && !text->empty()) return *text;
  }
  return {};
}

ChatFormat recognise_chatml(std::string_view source) {
  return {
      .kind = ChatTemplate::chatml,
      .default_system = default_system(source),
      .opens_think =
          opens_think(source, "<|im_start|>assistant\\n") || opens_think(source, "<|im_start|>assistant\n"),
      .can_skip_think = contains(source, "enable_thinking"),
      .drops_reasoning = contains(source, "</think>"),
      .keeps_last_reasoning = contains(source, "last_query_index"),
  };
}

ChatTemplate recognise_mistral(std::string_view source) {
  if (contains(source, "[SYSTEM_PROMPT]")) {
    const bool spaced = contains(source, "[SYSTEM_PROMPT] ") && contains(source, "[INST] ");
    return spaced ? ChatTemplate::mistral_v7 : ChatTemplate::mistral_v7_tekken;
  }
  if (contains(source, " [/INST]")) return ChatTemplate::mistral_v1;
  return contains(source, "[INST] ") ? ChatTemplate::mistral_v3 : ChatTemplate::mistral_v3_tekken;
}

}  // namespace

std::string_view name(ChatTemplate kind) {
  return templates.name(kind);
}

std::optional<ChatTemplate> parse_chat_template(std::string_view name) {
  return templates.parse(name);
}

std::vector<std::string> all_chat_templates() {
  std::vector<std::string> names;
  names.reserve(templates.entries.size());
  for (const auto& entry : templates.entries) names.emplace_back(entry.name);
  return names;
}

std::string allowed_chat_templates() {
  return templates.allowed();
}

std::optional<ChatFormat> recognise(std::string_view jinja_source) {
  const std::string_view source = jinja_source;
  if (contains(source, "<｜User｜>") && contains(source, "<｜Assistant｜>")) {
    // DeepSeek-V3.1 closes a block that it never opened; that is another format.
    if (contains(source, "<｜Assistant｜></think>")) return std::nullopt;
    return ChatFormat{.kind = ChatTemplate::deepseek_r1_distill,
                      .opens_think = opens_think(source, "<｜Assistant｜>"),
                      .drops_reasoning = contains(source, "</think>")};
  }
  if (contains(source, "<|start_header_id|>") && contains(source, "<|end_header_id|>")) {
    return ChatFormat{.kind = ChatTemplate::llama3};
  }
  // Phi-4 and SmolVLM share ChatML's first token and nothing else.
  if (contains(source, "<|im_start|>") && contains(source, "<|im_end|>") && !contains(source, "<|im_sep|>") &&
      !contains(source, "<end_of_utterance>")) {
    return recognise_chatml(source);
  }
  // Llama 2 puts the system message into <<SYS>>.
  if (contains(source, "[INST]") && contains(source, "[/INST]") && !contains(source, "<<SYS>>")) {
    return ChatFormat{.kind = recognise_mistral(source)};
  }
  return std::nullopt;
}

ChatFormat chat_format(std::string_view jinja_source, std::string_view chosen) {
  const auto recognised = recognise(jinja_source);
  if (chosen.empty()) {
    if (recognised) return *recognised;
    throw BadFile(std::string(jinja_source.empty()
                                  ? "the file has no chat template"
                                  : "the file has a chat template that lanerope does not know") +
                  "; choose one with --chat-template: " + allowed_chat_templates());
  }
  const auto kind = parse_chat_template(chosen);
  if (!kind) {
    throw InvalidRequest("there is no chat template " + quoted(chosen) + "; --chat-template takes " +
                         allowed_chat_templates());
  }
  if (recognised && recognised->kind == *kind) return *recognised;
  const bool reasons = *kind == ChatTemplate::deepseek_r1_distill;
  return {.kind = *kind, .opens_think = reasons, .drops_reasoning = reasons};
}

}  // namespace lanerope::text
