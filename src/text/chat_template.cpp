// SPDX-License-Identifier: Apache-2.0
#include "text/chat_template.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "lanerope/errors.h"
#include "text/builtin_templates.h"
#include "text/chat_messages.h"
#include "text/utf8.h"
#include "text/white_space.h"

namespace lanerope::text {

namespace {

using Json = nlohmann::ordered_json;

std::string name_of(const Vocabulary& vocabulary, std::optional<TokenId> token) {
  return token ? std::string(vocabulary.piece(*token)) : std::string();
}

Json parsed_tools(std::string_view text) {
  if (text.empty()) return nullptr;
  Json tools = Json::parse(text, nullptr, false);
  if (!tools.is_array()) throw InvalidRequest("the tools are no JSON array; give a list of tool objects");
  return tools.empty() ? Json(nullptr) : tools;
}

Json parsed_arguments(std::string_view text) {
  if (text.empty()) return Json::object();
  Json arguments = Json::parse(text, nullptr, false);
  if (!arguments.is_object()) {
    throw InvalidRequest(
        "the arguments of the chat template are no JSON object; write them as {\"enable_thinking\": false}");
  }
  return arguments;
}

// The prompt up to the end of the last message, as transformers cuts it.
std::string cut_after(std::string text, const std::string& last) {
  const std::string_view core = stripped(last);
  const size_t at = core.empty() ? std::string::npos : text.rfind(core);
  if (at == std::string::npos) {
    throw InvalidRequest(
        "the last message is to be continued, and the chat template does not write it as it is; "
        "ask for an answer of its own");
  }
  const std::string_view tail = stripped(last, {.right = false});
  text.resize(at + (text.compare(at, tail.size(), tail) == 0 ? tail.size() : core.size()));
  return text;
}

TemplateSource read_template(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) throw SystemError("the chat template " + path + " cannot be read; check the path");
  return {.name = path, .jinja = text.str()};
}

TemplateSource chosen_template(std::string_view chosen) {
  if (const auto builtin = builtin_template(chosen))
    return {.name = std::string(chosen), .jinja = std::string(*builtin)};
  if (chosen.find("{{") != std::string_view::npos || chosen.find("{%") != std::string_view::npos) {
    return {.name = "given as text", .jinja = std::string(chosen)};
  }
  std::error_code ignored;
  if (std::filesystem::is_regular_file(chosen, ignored)) return read_template(std::string(chosen));
  throw InvalidRequest("there is no chat template " + text::quoted(chosen) +
                       "; --chat-template takes a file or one of " + allowed_builtin_templates());
}

}  // namespace

TemplateTokens template_tokens(const Vocabulary& vocabulary) {
  return {.bos = name_of(vocabulary, vocabulary.bos()),
          .eos = name_of(vocabulary, vocabulary.eos()),
          .unknown = name_of(vocabulary, vocabulary.unknown()),
          .pad = name_of(vocabulary, vocabulary.pad()),
          .adds_bos = vocabulary.add_bos(),
          .adds_eos = vocabulary.add_eos()};
}

ChatTemplate::ChatTemplate(TemplateSource source, TemplateTokens tokens, std::string_view arguments)
    : source_(std::move(source)),
      tokens_(std::move(tokens)),
      arguments_(arguments),
      program_(source_.jinja),
      style_(chat_style(source_.jinja)) {
  Json ignored = Json::object();
  set_arguments(ignored, arguments_);
}

void ChatTemplate::set_arguments(Json& variables, std::string_view arguments) const {
  const Json given = parsed_arguments(arguments);
  for (const auto& [name, value] : given.items()) {
    if (!program_.mentions(name)) {
      throw InvalidRequest(
          "the chat template of this model does not read " + text::quoted(name) +
          "; leave it out of its arguments, or choose another template with --chat-template");
    }
    variables[name] = value;
  }
}

Json ChatTemplate::variables(std::span<const Message> messages, const RenderOptions& options) const {
  Json variables = {{"messages", template_messages(messages, program_)},
                    {"tools", parsed_tools(options.tools)},
                    {"documents", nullptr},
                    {"add_generation_prompt", options.add_generation_prompt && !options.continue_last},
                    {"bos_token", tokens_.bos},
                    {"eos_token", tokens_.eos}};
  if (!tokens_.unknown.empty()) variables["unk_token"] = tokens_.unknown;
  if (!tokens_.pad.empty()) variables["pad_token"] = tokens_.pad;
  if (!variables["tools"].is_null() && !capabilities().tools) {
    throw InvalidRequest(
        "the chat template of this model has no place for tools; leave them out, describe them in a "
        "system message, or choose another template with --chat-template");
  }
  set_arguments(variables, arguments_);
  set_arguments(variables, options.arguments);
  return variables;
}

std::string ChatTemplate::render(std::span<const Message> messages, const RenderOptions& options) const {
  const Json input = variables(messages, options);
  JinjaProgram::Rendering rendering = program_.render(input, options.now);
  for (const size_t i : rendering.unread) {
    const Json& message = input["messages"][i];
    if (message["role"] == "assistant" || message["content"].empty() || message["content"] == "") continue;
    throw InvalidRequest("the chat template of this model has no place for message " + std::to_string(i + 1) +
                         ", of the role " + message["role"].get<std::string>() +
                         "; leave it out, or choose another template with --chat-template");
  }
  std::string text = std::move(rendering.text);
  if (options.continue_last) {
    const Message& last = messages.back();
    if (last.role != "assistant")
      throw InvalidRequest(
          "the last message is to be continued, and is not the assistant's; end with one of its");
    std::string content = last.content;
    for (const ContentPart& part : last.parts) content = part.text;
    text = cut_after(std::move(text), content);
  }
  if (tokens_.adds_bos && !tokens_.bos.empty() && text.starts_with(tokens_.bos))
    text.erase(0, tokens_.bos.size());
  if (tokens_.adds_eos && !tokens_.eos.empty() && text.ends_with(tokens_.eos))
    text.resize(text.size() - tokens_.eos.size());
  return text;
}

ChatTemplates file_chat_templates(TemplateTexts texts, const TemplateTokens& tokens,
                                  std::string_view arguments) {
  ChatTemplates templates;
  const auto load = [&](std::string_view source) -> std::optional<ChatTemplate> {
    if (source.empty()) return std::nullopt;
    try {
      return ChatTemplate({.name = "the file's", .jinja = std::string(source)}, tokens, arguments);
    } catch (const BadFile& error) {
      templates.obstacle = error.what();
      return std::nullopt;
    }
  };
  templates.tool_use = load(texts.tool_use);
  templates.chat = load(texts.chat);
  if (templates.chat) templates.obstacle.clear();
  if (!arguments.empty() && !templates.chat && templates.obstacle.empty()) {
    throw InvalidRequest(
        "the model has no chat template that could read arguments; leave them out, or choose one with "
        "--chat-template");
  }
  return templates;
}

ChatTemplates load_chat_templates(const Vocabulary& vocabulary, std::string_view chosen,
                                  std::string_view arguments) {
  const TemplateTokens tokens = template_tokens(vocabulary);
  if (!chosen.empty()) return {.chat = ChatTemplate(chosen_template(chosen), tokens, arguments)};
  return file_chat_templates(
      {.chat = vocabulary.chat_template(), .tool_use = vocabulary.tool_chat_template()}, tokens, arguments);
}

}  // namespace lanerope::text
