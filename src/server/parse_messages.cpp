// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "server/api_request.h"
#include "server/json_fields.h"

namespace lanerope::server {

namespace {

constexpr std::array roles = {"system", "developer", "user", "assistant", "tool"};

// Content is a string, or an array of parts of text.
void read_content(const JsonFields& message, Message& entry) {
  const Json* content = message.find("content");
  if (content == nullptr) return;
  if (content->is_string()) {
    entry.content = content->get<std::string>();
    return;
  }
  if (!content->is_array()) message.refuse("content", "must be a string or an array of text parts");
  for (const Json& one : *content) {
    const JsonFields part(one, message.path_of("content"));
    const std::string type = part.text("type").value_or("text");
    if (type != "text") {
      message.refuse("content", "holds a part of type \"" + type.substr(0, 40) +
                                    "\", and lanerope reads text only: no images, sounds or files");
    }
    entry.parts.push_back({.text = part.text("text").value_or("")});
  }
}

void read_calls(const JsonFields& message, Message& entry) {
  const Json* calls = message.find("tool_calls");
  if (calls == nullptr) return;
  if (!calls->is_array()) message.refuse("tool_calls", "must be an array");
  for (size_t i = 0; i < calls->size(); ++i) {
    const JsonFields call((*calls)[i], message.path_of("tool_calls[" + std::to_string(i) + "]"));
    const auto function = call.object("function");
    if (!function) call.refuse("function", "is missing");
    ToolCall parsed{.id = call.text("id").value_or(""), .name = function->text("name").value_or("")};
    if (parsed.name.empty()) function->refuse("name", "is missing");
    if (const Json* arguments = function->find("arguments"))
      parsed.arguments = arguments->is_string() ? arguments->get<std::string>() : to_text(*arguments);
    if (parsed.arguments.empty()) parsed.arguments = "{}";
    entry.tool_calls.push_back(std::move(parsed));
  }
}

}  // namespace

std::vector<Message> parse_messages(const Json& body) {
  const JsonFields fields(body);
  const Json* list = fields.find("messages");
  if (list == nullptr) throw ApiError(400, "messages is missing", "messages");
  if (!list->is_array() || list->empty())
    fields.refuse("messages", "must be an array with at least one message");
  std::vector<Message> messages;
  for (size_t i = 0; i < list->size(); ++i) {
    const JsonFields message((*list)[i], "messages[" + std::to_string(i) + "]");
    Message entry{.role = message.text("role").value_or(""),
                  .tool_call_id = message.text("tool_call_id").value_or(""),
                  .name = message.text("name").value_or("")};
    if (entry.role.empty()) message.refuse("role", "is missing");
    if (std::ranges::find(roles, entry.role) == roles.end())
      message.refuse("role", "must be system, developer, user, assistant or tool");
    read_content(message, entry);
    read_calls(message, entry);
    if (entry.role == "assistant") {
      for (const char* key : {"reasoning_content", "reasoning"}) {
        if (const auto thought = message.text(key)) entry.reasoning = *thought;
      }
    }
    messages.push_back(std::move(entry));
  }
  return messages;
}

}  // namespace lanerope::server
