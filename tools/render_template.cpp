// SPDX-License-Identifier: Apache-2.0
// Renders conversations by chat templates, for script/template-parity. A JSON object a line on standard
// input:
//   {"template": FILE (Jinja, or a GGUF file), "messages": [OpenAI's], "tools"?, "arguments"?, "continue"?,
//    "generation_prompt"?, "now"? (seconds since 1970), "bos"?, "eos"?}
// and one a line on standard output: {"text"} or {"error"}; for {"template"} alone {"source", "bos", "eos",
// "capabilities"}.
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "arch/vocabulary_keys.h"
#include "gguf/file.h"
#include "lanerope/errors.h"
#include "text/chat_template.h"

namespace {

using namespace lanerope;
using Json = nlohmann::ordered_json;

text::ChatTemplate load(const Json& request) {
  const auto path = request.at("template").get<std::string>();
  if (path.ends_with(".gguf")) {
    const text::Vocabulary vocabulary(arch::read_vocabulary(gguf::File(path)));
    text::TemplateTokens tokens = text::template_tokens(vocabulary);
    tokens.adds_bos = false;  // the whole text is compared
    tokens.adds_eos = false;
    return {{.name = path, .jinja = vocabulary.chat_template()}, tokens};
  }
  std::ifstream file(path, std::ios::binary);
  std::ostringstream source;
  source << file.rdbuf();
  return {{.name = path, .jinja = source.str()},
          {.bos = request.value("bos", ""), .eos = request.value("eos", "")}};
}

std::vector<Message> messages_of(const Json& list) {
  std::vector<Message> messages;
  for (const Json& json : list) {
    Message message{.role = json.at("role"), .reasoning = json.value("reasoning_content", "")};
    const Json content = json.value("content", Json());
    if (content.is_string()) message.content = content;
    if (content.is_array()) {
      for (const Json& part : content)
        message.parts.push_back({.type = part.at("type"), .text = part.value("text", "")});
    }
    for (const Json& call : json.value("tool_calls", Json::array())) {
      const Json& function = call.at("function");
      message.tool_calls.push_back(
          {.id = call.value("id", ""), .name = function.at("name"), .arguments = function.at("arguments")});
    }
    message.tool_call_id = json.value("tool_call_id", "");
    message.name = json.value("name", "");
    messages.push_back(std::move(message));
  }
  return messages;
}

Json description(const text::ChatTemplate& chat) {
  const text::TemplateCapabilities& can = chat.capabilities();
  return {{"source", chat.source().jinja},
          {"bos", chat.tokens().bos},
          {"eos", chat.tokens().eos},
          {"capabilities",
           {{"system_role", can.system_role},
            {"tools", can.tools},
            {"tool_calls", can.tool_calls},
            {"parallel_tool_calls", can.parallel_tool_calls},
            {"string_content", can.string_content},
            {"typed_content", can.typed_content},
            {"object_arguments", can.object_arguments}}}};
}

Json answer(const Json& request, std::map<std::string, text::ChatTemplate>& loaded) {
  const std::string key = request.at("template").get<std::string>();
  if (!loaded.contains(key)) loaded.emplace(key, load(request));
  const text::ChatTemplate& chat = loaded.at(key);
  if (!request.contains("messages")) return description(chat);
  const std::string tools = request.contains("tools") ? request["tools"].dump() : "";
  const std::string arguments = request.contains("arguments") ? request["arguments"].dump() : "";
  text::RenderOptions options{.add_generation_prompt = request.value("generation_prompt", true),
                              .continue_last = request.value("continue", false),
                              .tools = tools,
                              .arguments = arguments};
  if (request.contains("now")) options.now = request["now"].get<std::time_t>();
  return {{"text", chat.render(messages_of(request["messages"]), options)}};
}

}  // namespace

int main() {
  std::map<std::string, text::ChatTemplate> loaded;
  for (std::string line; std::getline(std::cin, line);) {
    Json reply;
    try {
      reply = answer(Json::parse(line), loaded);
    } catch (const std::exception& error) {
      reply = {{"error", error.what()}};
    }
    std::cout << reply.dump(-1, ' ', false, Json::error_handler_t::replace) << std::endl;
  }
}
