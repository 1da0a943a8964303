// SPDX-License-Identifier: Apache-2.0
#include "text/chat_messages.h"

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "core/enum_table.h"
#include "lanerope/errors.h"
#include "text/bounded_json.h"
#include "text/utf8.h"

namespace lanerope::text {

namespace {

using Json = nlohmann::ordered_json;

enum class Role { system, developer, user, assistant, tool };

constexpr auto roles = core::enum_table<Role, 5>({
    {Role::system, "system"},
    {Role::developer, "developer"},
    {Role::user, "user"},
    {Role::assistant, "assistant"},
    {Role::tool, "tool"},
});

[[noreturn]] void refuse(const std::string& what, const std::string& what_to_do) {
  throw InvalidRequest("the chat template of this model " + what + "; " + what_to_do +
                       ", or choose another template with --chat-template");
}

Role role_of(const Message& message) {
  const auto role = roles.parse(message.role);
  if (!role) {
    throw InvalidRequest("a message has the role " + text::quoted(message.role) + "; roles are " +
                         roles.allowed());
  }
  return *role;
}

void check(const Message& message, Role role) {
  if (!message.parts.empty() && !message.content.empty()) {
    throw InvalidRequest("a message has a content and parts; give it one of them");
  }
  for (const ContentPart& part : message.parts) {
    if (part.type != "text") {
      throw InvalidRequest("a message holds a part of type " + text::quoted(part.type) +
                           ", and lanerope reads text only; leave it out");
    }
  }
  if (!message.tool_calls.empty() && role != Role::assistant) {
    throw InvalidRequest("a message of the role " + message.role +
                         " has tool calls; only the assistant calls tools");
  }
}

std::string joined(const std::vector<ContentPart>& parts) {
  std::string text;
  for (const ContentPart& part : parts) {
    if (!text.empty()) text += '\n';
    text += part.text;
  }
  return text;
}

Json content_json(const Message& message, const TemplateCapabilities& can) {
  const bool only_lists = can.typed_content && !can.string_content;
  if (message.parts.empty() && !only_lists) return message.content;
  if (!can.typed_content) return joined(message.parts);
  if (message.parts.empty()) return Json::array({{{"type", "text"}, {"text", message.content}}});
  Json parts = Json::array();
  for (const ContentPart& part : message.parts) parts.push_back({{"type", part.type}, {"text", part.text}});
  return parts;
}

Json call_json(const ToolCall& call, const TemplateCapabilities& can) {
  auto arguments = parse_bounded<Json>(call.arguments);
  if (!arguments.is_object()) {
    throw InvalidRequest("the arguments of the call of " + text::quoted(call.name) +
                         " are no JSON object that can be read; send one, nested at most " +
                         std::to_string(deepest_nesting) + " deep and with at most " +
                         std::to_string(most_members) + " members");
  }
  if (!can.object_arguments) arguments = call.arguments;
  Json json = {{"type", "function"},
               {"function", {{"name", call.name}, {"arguments", std::move(arguments)}}}};
  if (!call.id.empty()) json["id"] = call.id;
  return json;
}

// Where a template has place for one call in a message: several are a message each, with their results behind
// them.
std::vector<Message> with_single_calls(std::span<const Message> messages) {
  std::vector<Message> list;
  for (size_t i = 0; i < messages.size(); ++i) {
    const Message& message = messages[i];
    if (message.tool_calls.size() < 2) {
      list.push_back(message);
      continue;
    }
    size_t end = i + 1;
    while (end < messages.size() && messages[end].role == "tool") ++end;
    std::vector<bool> used(end, false);
    for (size_t k = 0; k < message.tool_calls.size(); ++k) {
      Message one = k == 0 ? message : Message{.role = message.role, .name = message.name};
      one.tool_calls = {message.tool_calls[k]};
      list.push_back(std::move(one));
      // By its number, or, where the client gave none, in order.
      for (size_t j = i + 1; j < end; ++j) {
        const std::string& id = messages[j].tool_call_id;
        if (used[j] || (id.empty() ? j != i + 1 + k : id != message.tool_calls[k].id)) continue;
        used[j] = true;
        list.push_back(messages[j]);
      }
    }
    for (size_t j = i + 1; j < end; ++j) {
      if (!used[j])
        throw InvalidRequest(
            "a message of the role tool answers no call of the message before it; give it the call's id");
    }
    i = end - 1;
  }
  return list;
}

void put_before(Json& content, const std::string& text) {
  if (content.is_string()) {
    content = text + "\n" + content.get<std::string>();
  } else {
    content.insert(content.begin(), {{"type", "text"}, {"text", text}});
  }
}

}  // namespace

nlohmann::ordered_json template_messages(std::span<const Message> messages, const JinjaProgram& program) {
  if (messages.empty()) throw InvalidRequest("the conversation is empty; give it a user message");
  const TemplateCapabilities& can = program.capabilities();
  // Of the templates that are known, gpt-oss's alone tells a developer from a system.
  const bool has_developer = program.contains("<|channel|>");
  std::vector<Message> single;
  if (!can.parallel_tool_calls) {
    single = with_single_calls(messages);
    messages = single;
  }
  Json list = Json::array();
  std::string system;  // for the next message, where the template has no place for it
  for (const Message& message : messages) {
    const Role role = role_of(message);
    check(message, role);
    if (!message.tool_calls.empty() && !can.tool_calls)
      refuse("has no place for calls of tools", "leave them out");
    const bool is_system = role == Role::system || (role == Role::developer && !has_developer);
    if (is_system && !can.system_role) {
      if (!list.empty())
        refuse("has no place for a system message", "put it at the beginning, before a message of the user");
      if (!system.empty()) system += '\n';
      system += message.parts.empty() ? message.content : joined(message.parts);
      continue;
    }
    Json one = {{"role", is_system ? "system" : message.role}, {"content", content_json(message, can)}};
    if (!system.empty()) {
      if (role != Role::user)
        refuse("has no place for a system message", "put it before a message of the user");
      put_before(one["content"], system);
      system.clear();
    }
    if (!message.reasoning.empty()) {
      one["reasoning_content"] = message.reasoning;
      if (has_developer) one["thinking"] = message.reasoning;
    }
    for (const ToolCall& call : message.tool_calls) one["tool_calls"].push_back(call_json(call, can));
    if (!message.tool_call_id.empty()) one["tool_call_id"] = message.tool_call_id;
    if (!message.name.empty()) one["name"] = message.name;
    list.push_back(std::move(one));
  }
  if (!system.empty()) refuse("has no place for a system message", "add a message of the user after it");
  return list;
}

}  // namespace lanerope::text
